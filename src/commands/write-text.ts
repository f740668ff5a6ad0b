import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

type Pieces = AsyncIterable<string | Buffer>;

/** Writes a text of any length, piece by piece: to a file, or to stdout where none is given. */
export async function writeText(pieces: Pieces, file: string | undefined): Promise<void> {
  await (file ? writeWhole(pieces, file) : print(pieces));
}

// Under another name until it is whole, so that a failure leaves an earlier file as it was.
async function writeWhole(pieces: Pieces, file: string): Promise<void> {
  await pipeline(pieces, createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
}

async function print(pieces: Pieces): Promise<void> {
  await pipeline(pieces, process.stdout, { end: false }).catch(error => {
    // Whoever reads has had enough, as `head` has.
    if (error.code !== 'EPIPE') throw error;
  });
}
