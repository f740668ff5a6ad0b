import fp from 'fastify-plugin';

/**
 * What browsers are told of every answer. Answers of an API are never rendered, so that these few are enough (OWASP, REST
 * Security); the page at /docs has more. Constant, since each poll pays for them.
 */
export const securityHeaders = fp(async (app, { isSecure }: { isSecure: boolean }) => {
  const headers = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
    // RFC 6797
    ...(isSecure && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
  };
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
});
