import type { FastifyRequest } from 'fastify';
import { HubError } from '../errors.ts';

// A body in chunks of a few bytes would take memory many times over.
const blockBytes = 64 * 1024;

/**
 * Reads a body as blocks, in order, of 64 KiB or more each but for the last one. It is never joined to one: copying 32 MiB
 * takes as long as hundreds of polls.
 * @param payload its stream, of which nothing was read
 * @throws HubError body-too-large beyond the bodyLimit of the route; what the connection fails with
 */
export function readBody(request: FastifyRequest, payload: FastifyRequest['raw']): Promise<Buffer[]> {
  const { bodyLimit } = request.routeOptions;
  return new Promise((resolve, reject) => {
    const blocks: Buffer[] = [];
    let chunks: Buffer[] = [];
    let chunkBytes = 0;
    let bytes = 0;
    const endBlock = () => {
      blocks.push(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, chunkBytes));
      chunks = [];
      chunkBytes = 0;
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyLimit) {
        payload.off('data', onData);
        reject(new HubError('body-too-large', `Send at most ${bodyLimit} bytes: several smaller envelopes.`));
        return;
      }
      chunks.push(chunk);
      chunkBytes += chunk.length;
      if (chunkBytes >= blockBytes) endBlock();
    };
    payload.on('data', onData);
    payload.on('end', () => {
      if (chunks.length > 0) endBlock();
      resolve(blocks);
    });
    payload.on('error', reject);
  });
}
