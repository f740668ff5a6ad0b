import fp from 'fastify-plugin';

/** While the hub stops, each answer closes its connection: a client that keeps it open would hold up the end. */
export const draining = fp(async app => {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done();
  });
});
