import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { exportBundle } from '../taxii/export.ts';
import { requireCollection, withHub } from './command.ts';

export const exportCommand = () =>
  new Command('export')
    .argument('<collection>')
    .argument('[file]')
    .description('write all versions of all objects as a STIX bundle, or print it')
    .showHelpAfterError('(--help tells more)')
    .action((name, file) =>
      withHub(async hub => {
        const collection = await requireCollection(hub.db, name);
        const bundle = exportBundle(hub.db, collection.id, `bundle--${randomUUID()}`);
        await (file ? writeWhole(bundle, file) : print(bundle));
      }),
    );

// Under another name until it is whole, so that a failure leaves an earlier export as it was.
async function writeWhole(bundle: AsyncIterable<string>, file: string): Promise<void> {
  await pipeline(bundle, createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
}

async function print(bundle: AsyncIterable<string>): Promise<void> {
  await pipeline(bundle, process.stdout, { end: false }).catch(error => {
    // Whoever reads has had enough, as `head` has.
    if (error.code !== 'EPIPE') throw error;
  });
}
