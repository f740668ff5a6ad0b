import fp from 'fastify-plugin';
import { isMigrated } from '../db/migrate.ts';
import type { Hub } from '../hub.ts';

/** For whatever watches the hub: /healthz says that it is alive, /readyz that it can serve. No credential needed. */
export const health = fp(async (app, { hub }: { hub: Hub }) => {
  app.get('/healthz', { schema: { hide: true }, logLevel: 'warn' }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true }, logLevel: 'warn' }, async (_request, reply) => {
    const isReady = await isMigrated(hub.db).catch(() => false);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'database not ready' });
  });
});
