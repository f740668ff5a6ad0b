import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';

/**
 * A hook for what each request passes, as app.addHook takes it. A promise costs every poll more than most hooks do
 * themselves, so a hook gives one only where it has to wait.
 * @param run throws, or gives a promise that fails, to refuse the request; where it hijacks the reply, nothing follows
 */
export function hook(run: (request: FastifyRequest, reply: FastifyReply) => Promise<void> | void) {
  const handler = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const pending = run(request, reply);
    // Fastify goes on by whichever comes: `done`, or the end of a promise.
    return pending ?? done();
  };
  return handler as onRequestHookHandler;
}
