import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { connect } from './db/connect.ts';
import type { Db } from './db/pool.ts';
import { deleteExpiredStatuses } from './db/statuses.ts';
import { demonstrate } from './demonstration.ts';
import { OperatorError } from './errors.ts';
import { createHub } from './hub.ts';

const cleaningIntervalMs = 10 * 60_000;
const drainMsMax = 30_000;

/**
 * Runs the hub until it is told to stop: SIGTERM and SIGINT finish the requests in flight, then close the database.
 * @throws OperatorError where the database or the address cannot be used
 */
export async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel });
  const database = await connect(config, { log: message => logger.warn(message), migrations: 'apply' });
  const hub = await createHub(config, database.db);
  const app = await buildApp(hub, logger);
  const cleaning = setInterval(() => clean(database.db, config, logger), cleaningIntervalMs);

  const stop = async () => {
    clearInterval(cleaning);
    await app.close();
    await database.close();
  };
  const grace = closeWithGrace({ delay: drainMsMax, logger }, async ({ signal, err }) => {
    ignoreFurtherSignals();
    if (err) logger.fatal({ err }, 'stopping after an error that nothing caught');
    else logger.info({ signal }, 'stopping: requests in flight are being finished');
    await stop();
    logger.info('stopped');
  });

  const address = await app.listen({ host: config.host, port: config.port }).catch(async error => {
    grace.uninstall();
    await stop();
    throw new OperatorError(`The hub cannot listen on HOST ${config.host}, PORT ${config.port}: ${error.message}.`);
  });
  logger.info({ address, database: database.isEmbedded ? 'embedded' : 'DATABASE_URL' }, 'Taxiway is ready');
  if (database.isEmbedded && config.demo) {
    const text = await demonstrate(hub, config.publicUrl || address);
    if (text) process.stdout.write(text);
  }
}

// Ctrl-C reaches the hub twice under `npm start`: from the terminal and from npm. drainMsMax bounds the wait.
function ignoreFurtherSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.removeAllListeners(signal);
    process.on(signal, () => {});
  }
}

function clean(db: Db, config: Config, logger: pino.Logger): void {
  deleteExpiredStatuses(db, config.statusRetentionHours).catch(error =>
    logger.warn({ err: error }, 'expired statuses could not be removed; the next round tries again'),
  );
}
