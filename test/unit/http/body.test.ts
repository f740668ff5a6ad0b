import { Readable } from 'node:stream';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/http/body.ts';

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
    expect(await read(Array.from({ length: blockBytes * 2 + 1 }, () => Buffer.from('x')))).toHaveLength(3);
  });

  it('may be as long as the route allows, and no longer', async () => {
    expect(await read([Buffer.alloc(600), Buffer.alloc(400)], 1000)).toHaveLength(1);
    await expect(read([Buffer.alloc(600), Buffer.alloc(401)], 1000)).rejects.toMatchObject({ code: 'body-too-large' });
  });

  it('fails as its connection does', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('{');
        throw new Error('aborted');
      })(),
    );
    const request = { routeOptions: { bodyLimit: 1000 } } as FastifyRequest;
    await expect(readBody(request, broken as unknown as FastifyRequest['raw'])).rejects.toThrow('aborted');
  });
});
