import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { HubError } from '../errors.ts';
import { parseTimestamp, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { RowClient } from './row-client.ts';
import type { Database } from './schema.ts';

export type Db = Kysely<Database>;
/** A function that takes one runs inside its caller's transaction. */
export type Tx = Transaction<Database>;

export interface PoolOptions {
  connection:
    | { connectionString: string }
    | { host: string; port: number; user: string; database: string; ssl?: false };
  connectionsMax: number;
  onError: (error: Error) => void;
  /** PgBouncer stands between: the next transaction may have another session, whose settings are those of the role */
  isPooled?: boolean;
}

/** The connections of a database, for what is not read by kysely. */
interface Connections {
  pool: pg.Pool;
  /**
   * The name under which each connection keeps the plan of a statement; undefined: it keeps none. Only for what has a few
   * forms, whose plan is right for all values: PostgreSQL holds each form on each connection.
   */
  planName(text: string): string | undefined;
}

const connectionsOf = new WeakMap<Db, Connections>();

/**
 * Settings of every connection. A page is a range of one index, read in its order; where PostgreSQL knows little of what
 * is in the range, it would rather read the whole table, or collect a whole collection in a bitmap, and sort it. Plans that
 * it thinks expensive for that are not worth compiling.
 */
const planSettings = { TimeZone: 'UTC', DateStyle: 'ISO', enable_bitmapscan: 'off', enable_seqscan: 'off', jit: 'off' };
const timeouts = { statement_timeout: 60_000, lock_timeout: 20_000, idle_in_transaction_session_timeout: 60_000 };

export const sessionOptions = Object.entries(planSettings)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

const timestamptz = 1184;
const types = new pg.TypeOverrides();
// pg's own parser makes a Date of it and loses the microseconds.
types.setTypeParser(timestamptz, fromPgTimestamp);

/** What a client of pg needs to connect. */
export function toClientConfig(connection: PoolOptions['connection']): pg.ClientConfig {
  return { ...connection, connectionTimeoutMillis: 10_000, application_name: 'taxiway' };
}

/** Opens a pool of connections to PostgreSQL 14 or newer. Nothing is connected until the first query. */
export function openDatabase(options: PoolOptions): Db {
  const pool = new pg.Pool({
    Client: RowClient,
    // For pipeline.ts; elsewhere each statement is awaited before the next.
    pipeline: true,
    ...toClientConfig(options.connection),
    types,
    max: options.connectionsMax,
    idleTimeoutMillis: 30_000,
    ...(options.isPooled ? {} : { ...timeouts, options: sessionOptions }),
  });
  // Without a listener, a database restart would end the process (pg emits 'error' for idle connections).
  pool.on('error', options.onError);
  pool.on('connect', client => client.on('error', options.onError));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  connectionsOf.set(db, { pool, planName: options.isPooled ? () => undefined : namePlans() });
  return db;
}

function namePlans(): Connections['planName'] {
  const names = new Map<string, string>();
  return text => {
    const name = names.get(text) ?? `plan_${names.size + 1}`;
    names.set(text, name);
    return name;
  };
}

/**
 * Makes the settings of every connection those of the role in this database, for sessions that something else opens.
 * @param db connected to PostgreSQL itself
 */
export async function setRoleSettings(db: Db): Promise<void> {
  await db.transaction().execute(async tx => {
    // PostgreSQL refuses one of two that change the same role at the same time.
    await sql`select pg_advisory_xact_lock(hashtext('taxiway role settings'))`.execute(tx);
    const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(tx);
    const database = sql.id(rows[0]?.name ?? '');
    for (const [name, value] of Object.entries({ ...planSettings, ...timeouts })) {
      const setting = sql`${sql.id(name)} to ${sql.lit(value)}`;
      await sql`alter role current_user in database ${database} set ${setting}`.execute(tx);
    }
  });
}

/** @throws Error where it is a transaction, which has a connection of its own */
export function poolOf(db: Db): Connections {
  const connections = connectionsOf.get(db);
  if (!connections) throw new Error('not a database that openDatabase has opened');
  return connections;
}

/**
 * Turns a failure of the database that is nobody's mistake into an answer that says "try again".
 * @returns undefined where the error is not the database's, or is a defect of ours
 */
export function asUnavailable(error: unknown): HubError | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === '55P03' || code === '57014') {
    return new HubError('overloaded', 'The hub is busy with this collection. Try again shortly.', { cause: error });
  }
  // Classes 08 (connection), 53 (resources) and 57P0 (shutdown), a standby's read-only answer, and the socket's errors.
  const isOutage =
    typeof code === 'string' &&
    /^(08|53|57P0|25006|25P03|40001|40P01|ECONN|ENOENT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|EAI_)/.test(
      code,
    );
  const message = error instanceof Error ? error.message : '';
  if (
    isOutage ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      message,
    )
  ) {
    return new HubError('database-unavailable', 'The hub cannot reach its database. Try again shortly.', {
      cause: error,
    });
  }
  return undefined;
}

// PostgreSQL writes `2026-11-22 17:35:00.12+00`: trailing zeros are left out, and a colon-less offset follows.
function fromPgTimestamp(text: string): TaxiiTimestamp {
  // Nearly always in UTC, as sessionOptions ask for; a manifest has thousands of them.
  if (text.endsWith('+00') && text[10] === ' ') {
    return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(6, '0')}Z`;
  }
  const rfc3339 = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
  const timestamp = parseTimestamp(rfc3339);
  if (timestamp === undefined) throw new RangeError('a timestamp of the database lies outside the years 1 to 9999');
  return timestamp;
}
