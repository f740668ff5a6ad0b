import type { FastifyInstance, HTTPMethods } from 'fastify';
import { HubError } from '../errors.ts';

const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers 405 with Allow (RFC 9110 §15.5.6) where a path is served but not for the method, instead of a 404 that sends
 * people looking for a typing error. Call it before the routes; what it returns adds the answers, after them.
 */
export function trackMethods(app: FastifyInstance): () => void {
  const allowed = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = allowed.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    allowed.set(url, known);
  });
  return () => {
    for (const [url, known] of [...allowed].filter(([url]) => url.endsWith('/'))) {
      const allow = [...known].join(', ');
      app.route({
        method: methods.filter(method => !known.has(method)),
        url,
        schema: { hide: true },
        // Before the body is looked at, whatever its type.
        onRequest: async (_request, reply) => {
          reply.header('allow', allow);
          throw new HubError('method-not-allowed', `Here you can use ${allow}.`);
        },
        handler: () => {},
      });
    }
  };
}
