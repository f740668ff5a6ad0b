import type { FastifyRequest } from 'fastify';
import { HubError } from '../errors.ts';

// A body in chunks of a few bytes would take memory many times over, were they kept as they come.
const blockBytes = 64 * 1024;

/**
 * Reads a body as blocks, in order, of 64 KiB or more each but for the last one. It is never joined to one: copying 32 MiB
 * takes as long as hundreds of polls.
 * @param payload its stream, of which nothing was read
 * @throws HubError body-too-large beyond the bodyLimit of the route; request-malformed where its connection breaks
 */
export function readBody(request: FastifyRequest, payload: FastifyRequest['raw']): Promise<Buffer[]> {
  const { bodyLimit } = request.routeOptions;
  return new Promise((resolve, reject) => {
    const blocks: Buffer[] = [];
    let room = Buffer.alloc(0);
    let held = 0;
    let bytes = 0;
    const hold = (chunk: Buffer) => {
      if (held + chunk.length > room.length) {
        const larger = Buffer.allocUnsafe(Math.max(held + chunk.length, Math.min(2 * room.length, blockBytes)));
        room.copy(larger, 0, 0, held);
        room = larger;
      }
      chunk.copy(room, held);
      held += chunk.length;
    };
    const endBlock = () => {
      if (held > 0) blocks.push(room.subarray(0, held));
      room = Buffer.alloc(0);
      held = 0;
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyLimit) {
        payload.off('data', onData);
        reject(new HubError('body-too-large', `Send at most ${bodyLimit} bytes: several smaller envelopes.`));
        return;
      }
      if (held === 0 && chunk.length >= blockBytes) blocks.push(chunk);
      else hold(chunk);
      if (held >= blockBytes) endBlock();
    };
    payload.on('data', onData);
    payload.on('end', () => {
      endBlock();
      resolve(blocks);
    });
    // Nobody hears this answer. It must not look like a failure of the database, whose connections break with the same codes.
    payload.on('error', cause => reject(new HubError('request-malformed', 'The body did not come whole.', { cause })));
  });
}
