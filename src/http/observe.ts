import fp from 'fastify-plugin';
import { hook } from './hook.ts';

/** One log line for each answer: who did what, how it ended, how long it took. Never a header or a body. */
export const observe = fp(async app => {
  app.addHook(
    'onRequest',
    hook((request, reply) => {
      reply.header('x-request-id', request.id);
    }),
  );
  app.addHook('onResponse', (request, reply, done) => {
    const { logLevel, schema } = request.routeOptions;
    // A route with a level of its own is asked too often to be told of.
    if (logLevel) return done();
    // By the hub's own logger: the request's would be made for this line alone.
    app.log.info(
      {
        reqId: request.id,
        operation: (schema as { operationId?: string } | undefined)?.operationId,
        partner: request.principal?.partner,
        address: request.ip,
        method: request.method,
        path: request.url,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime * 10) / 10,
        heldMs: request.heldMs,
      },
      'answered',
    );
    done();
  });
});
