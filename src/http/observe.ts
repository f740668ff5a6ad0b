import type { FastifyRequest } from 'fastify';
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
    request.log.info(
      {
        operation: operationOf(request),
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

function operationOf(request: FastifyRequest): string | undefined {
  return (request.routeOptions.schema as { operationId?: string } | undefined)?.operationId;
}
