import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/http/body.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

const blockBytes = 64 * 1024;

function read(chunks: Buffer[], bodyLimit = Number.MAX_SAFE_INTEGER): Promise<Buffer[]> {
  const request = { routeOptions: { bodyLimit } } as FastifyRequest;
  return readBody(request, Readable.from(chunks) as unknown as FastifyRequest['raw']);
}

describe('a body that is read', () => {
  it('is the same in whatever chunks it comes, in blocks of 64 KiB or more', async () => {
    const chunk = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 200_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 60 }), async sizes => {
        const chunks = sizes.map((bytes, n) => Buffer.alloc(bytes, n + 1));
        const blocks = await read(chunks);
        expect(Buffer.concat(blocks).equals(Buffer.concat(chunks))).toBe(true);
        for (const block of blocks.slice(0, -1)) expect(block.length).toBeGreaterThanOrEqual(blockBytes);
      }),
    );
  });

  it('does not hold a buffer for each of many tiny chunks', async () => {
    const tiny = Buffer.from('x');
    const gone: WeakRef<Buffer>[] = [];
    const chunks = async function* () {
      for (let n = 0; n < blockBytes * 2 + 1; n += 1) {
        const chunk = Buffer.from(tiny);
        if (n < 1000) gone.push(new WeakRef(chunk));
        yield chunk;
        // What no longer is referred to can be told only between turns.
        if (n === blockBytes - 10) {
          await setImmediate();
          gc();
          expect(gone.filter(one => one.deref() !== undefined).length).toBeLessThan(100);
        }
      }
    };
    const request = { routeOptions: { bodyLimit: 1e9 } } as FastifyRequest;
    const blocks = await readBody(request, Readable.from(chunks()) as unknown as FastifyRequest['raw']);
    expect(blocks).toHaveLength(3);
  });

  it('may be as long as the route allows, and no longer', async () => {
    expect(await read([Buffer.alloc(600), Buffer.alloc(400)], 1000)).toHaveLength(1);
    await expect(read([Buffer.alloc(600), Buffer.alloc(401)], 1000)).rejects.toMatchObject({ code: 'body-too-large' });
  });

  it('is not whole where its connection breaks, which is no failure of the database', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('{');
        throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      })(),
    );
    const request = { routeOptions: { bodyLimit: 1000 } } as FastifyRequest;
    await expect(readBody(request, broken as unknown as FastifyRequest['raw'])).rejects.toMatchObject({
      code: 'request-malformed',
      cause: { code: 'ECONNRESET' },
    });
  });
});
