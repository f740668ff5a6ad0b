import cluster from 'node:cluster';
import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { deleteExpiredAssertions, expiredAssertionsMax } from './db/clients.ts';
import { applyConcurrently } from './db/concurrently.ts';
import { connect, type DatabaseHandle } from './db/connect.ts';
import { openDatabase } from './db/pool.ts';
import { deleteExpiredStatuses, expiredStatusesMax } from './db/statuses.ts';
import { deleteExpiredClientTokens, expiredTokensMax } from './db/tokens.ts';
import { demonstrate } from './demonstration.ts';
import { tuneEngine } from './engine.ts';
import { OperatorError } from './errors.ts';
import { readSecureContext } from './http/tls.ts';
import { createHub, type Hub } from './hub.ts';

const cleaningIntervalMs = 10 * 60_000;
const migratingRetryMs = 60_000;
const drainMsMax = 20_000;
/** After it, a node that is told to stop ends whatever it was doing. */
export const stopMsMax = 35_000;

/**
 * Runs the hub until it is told to stop: SIGTERM and SIGINT finish the requests in flight, then close the database.
 * @throws OperatorError where the database or the address cannot be used
 */
export async function serve(config: Config): Promise<void> {
  tuneEngine();
  const logger = pino({ level: config.logLevel }).child(cluster.worker ? { worker: cluster.worker.id } : {});
  const starting = start(config, logger);
  // With TLS, SIGHUP means to read the certificate again.
  const skip: closeWithGrace.Signals[] = config.tls ? ['SIGHUP'] : [];
  const grace = closeWithGrace({ delay: stopMsMax, logger, skip }, async ({ signal, err }) => {
    ignoreFurtherSignals();
    if (err) logger.fatal({ err }, 'stopping after an error that nothing caught');
    else logger.info({ signal }, 'stopping: requests in flight are being finished');
    // A start that is under way is finished first, so that no database is left running.
    const stop = await starting.catch(() => undefined);
    await stop?.();
    logger.info('stopped');
  });
  await starting.catch(error => {
    grace.uninstall();
    // Where this is a worker: what it is told over must not keep it.
    process.channel?.unref();
    throw error;
  });
  // Told to whoever supervises workers (workers.ts).
  process.send?.('ready');
}

/** @returns what stops the hub again */
async function start(config: Config, logger: pino.Logger): Promise<() => Promise<void>> {
  const log = (message: string) => logger.warn(message);
  const database = await connect(config, { log, migrations: 'apply' });
  let opened: Hub | undefined;
  const close = async () => {
    await Promise.all([opened?.watch.close(), opened?.replicas.close()]);
    await database.close();
  };
  try {
    const hub = await createHub(config, database.db, { announcements: database.connection, log });
    opened = hub;
    const app = await buildApp(hub, logger);
    if (config.tls) reloadAtHangup(app, config.tls, logger);
    const address = await listen(app, config);
    logger.info({ address, database: database.isEmbedded ? 'embedded' : 'DATABASE_URL' }, 'Taxiway is ready');
    if (database.isEmbedded && config.demo) {
      const text = await demonstrate(hub, config.publicUrl || address);
      if (text) process.stdout.write(text);
    }
    const cleaning = setInterval(() => clean(hub, logger), cleaningIntervalMs);
    clean(hub, logger);
    const stopMigrating = migrateConcurrently(database, logger);
    return async () => {
      stopMigrating();
      clearInterval(cleaning);
      await drain(app);
      await close();
    };
  } catch (error) {
    await close();
    throw error;
  }
}

// A renewed certificate needs no restart; connections that are there keep theirs.
function reloadAtHangup(app: FastifyInstance, files: NonNullable<Config['tls']>, logger: pino.Logger): void {
  process.on('SIGHUP', () => {
    try {
      (app.server as unknown as Server).setSecureContext(readSecureContext(files));
      logger.info('the files of TLS were read again');
    } catch (error) {
      logger.error({ cause: (error as Error).message }, 'the certificate stays as it was');
    }
  });
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  return app.listen({ host, port }).catch(error => {
    throw new OperatorError(`The hub cannot listen on HOST ${host}, PORT ${port}: ${error.message}.`);
  });
}

// A client that never finishes its upload must not keep the database from being closed.
async function drain(app: FastifyInstance): Promise<void> {
  const closing = app.close();
  await Promise.race([closing, sleep(drainMsMax, undefined, { ref: false })]);
  app.server.closeAllConnections();
  await closing;
}

/** Ctrl-C reaches the hub twice under `npm start`: from the terminal and from npm. stopMsMax bounds the wait. */
export function ignoreFurtherSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.removeAllListeners(signal);
    process.on(signal, () => {});
  }
}

/** Applies what takes long about large tables beside the requests. @returns what gives it up, for the next start */
function migrateConcurrently({ connection }: DatabaseHandle, logger: pino.Logger): () => void {
  const onError = (error: Error) => logger.warn(`A database connection was lost: ${error.message}`);
  const db = openDatabase({ connection, connectionsMax: 1, onError });
  let retry: NodeJS.Timeout | undefined;
  const apply = async () => {
    try {
      const names = await applyConcurrently(db, ['make', 'drop']);
      if (names.length > 0) logger.info({ applied: names }, 'migrations were applied beside the requests');
      await db.destroy();
    } catch (error) {
      logger.warn({ err: error }, 'a migration could not be applied beside the requests; it is tried again');
      retry = setTimeout(apply, migratingRetryMs).unref();
    }
  };
  apply();
  return () => {
    clearTimeout(retry);
    // A statement that runs is not waited for.
    db.destroy().catch(() => undefined);
  };
}

async function clean({ db, config }: Hub, logger: pino.Logger): Promise<void> {
  try {
    while ((await deleteExpiredStatuses(db, config.statusRetentionHours)) === expiredStatusesMax);
    while ((await deleteExpiredAssertions(db)) === expiredAssertionsMax);
    while ((await deleteExpiredClientTokens(db)) === expiredTokensMax);
  } catch (error) {
    logger.warn({ err: error }, 'what has expired could not be removed; the next round tries again');
  }
}
