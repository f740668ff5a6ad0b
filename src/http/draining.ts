import fp from 'fastify-plugin';

/** While the hub stops, each answer closes its connection: a client that keeps it open would hold up the end. */
export const draining = fp(async app => {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close');
  });
});
