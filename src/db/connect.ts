import type { Config } from '../config.ts';
import { OperatorError } from '../errors.ts';
import { acquireEmbeddedDatabase } from './embedded.ts';
import { isMigrated, migrate } from './migrate.ts';
import { asUnavailable, type Db, openDatabase, type PoolOptions, setRoleSettings } from './pool.ts';

/** The hub's database: that of DATABASE_URL, or the embedded one. */
export interface DatabaseHandle {
  db: Db;
  /** how to open further connections to it, to PostgreSQL itself even where `db` goes through PgBouncer */
  connection: PoolOptions['connection'];
  isEmbedded: boolean;
  /** the migrations that were applied now */
  applied: string[];
  /** closes the connections, and stops the embedded database where nobody else uses it */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** told in a sentence what takes long or went wrong with an idle connection */
  log: (message: string) => void;
  /** `check`: an outside database must have been migrated already; the embedded one always is */
  migrations: 'apply' | 'check';
}

/**
 * Connects to the database that the configuration names, and sees to its schema.
 * @throws OperatorError where it cannot be reached or is not migrated, with what to do
 */
export async function connect(config: Config, options: ConnectOptions): Promise<DatabaseHandle> {
  const embedded = config.databaseUrl
    ? undefined
    : await acquireEmbeddedDatabase({ dataDir: config.dataDir, log: options.log });
  const connection: PoolOptions['connection'] = embedded
    ? { ...embedded.connection, ssl: false }
    : { connectionString: config.databaseDirectUrl ?? (config.databaseUrl as string) };
  const isPooled = config.databaseDirectUrl !== undefined;
  const onError = (error: Error) => options.log(`An idle database connection was lost: ${error.message}`);
  const open = (pool: Pick<PoolOptions, 'connection' | 'connectionsMax' | 'isPooled'>) =>
    openDatabase({ ...pool, onError });
  const db = open({
    connection: isPooled ? { connectionString: config.databaseUrl as string } : connection,
    connectionsMax: config.databasePoolMax,
    isPooled,
  });
  const direct = isPooled ? open({ connection, connectionsMax: 2 }) : db;
  const close = async () => {
    await db.destroy();
    await embedded?.release();
  };
  try {
    const migrations = embedded ? 'apply' : options.migrations;
    // Before PgBouncer opens its first session, which keeps the settings that it began with.
    if (isPooled && migrations === 'apply') await setRoleSettings(direct);
    const applied = await prepareSchema(direct, migrations);
    if (isPooled) await direct.destroy();
    return { db, connection, isEmbedded: embedded !== undefined, applied, close };
  } catch (error) {
    if (isPooled) await direct.destroy();
    await close();
    throw embedded ? error : describeOutage(error);
  }
}

async function prepareSchema(db: Db, migrations: ConnectOptions['migrations']): Promise<string[]> {
  if (migrations === 'apply') return migrate(db);
  if (await isMigrated(db)) return [];
  throw new OperatorError('The database is not prepared for this version: run `npx taxiway migrate` first.');
}

function describeOutage(error: unknown): unknown {
  const message = error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error);
  const isRefused = ['28P01', '28000', '3D000'].includes((error as { code?: string }).code ?? '');
  if (!isRefused && !asUnavailable(error)) return error;
  return new OperatorError(`The database of DATABASE_URL cannot be used: ${message}.`);
}
