import type { FastifyReply, FastifyRequest } from 'fastify';

const ofSockets = new WeakMap<object, Set<() => void>>();

/**
 * Calls `end` once: when the answer has been sent, or its client is gone, which may be already. An answer has no socket, and
 * is told nothing, until those to earlier requests of its connection have been sent: so the connection is watched as well.
 * @returns what gives it up
 */
export function whenOver(request: FastifyRequest, reply: FastifyReply, end: () => void): () => void {
  const { raw } = reply;
  const ofSocket = endsOf(request.raw.socket);
  const giveUp = () => {
    ofSocket.delete(over);
    raw.off('finish', over).off('close', over);
  };
  const over = () => {
    giveUp();
    end();
  };
  if (isOver(request, reply)) {
    end();
    return () => {};
  }
  ofSocket.add(over);
  raw.once('finish', over).once('close', over);
  return giveUp;
}

/** Whether the answer has been sent, or its client is gone. */
export function isOver(request: FastifyRequest, { raw }: FastifyReply): boolean {
  return raw.destroyed || raw.writableFinished || request.raw.socket.destroyed;
}

function endsOf(socket: FastifyRequest['raw']['socket']): Set<() => void> {
  const known = ofSockets.get(socket);
  if (known) return known;
  const ends = new Set<() => void>();
  ofSockets.set(socket, ends);
  socket.once('close', () => {
    for (const end of ends) end();
  });
  return ends;
}
