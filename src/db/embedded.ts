import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { OperatorError } from '../errors.ts';
import { findBinaries } from './embedded/binaries.ts';
import { locateCluster, prepareHost } from './embedded/host.ts';
import { isLastLease, keepLease, type Server, takeLease, user } from './embedded/lease.ts';
import {
  ensureCluster,
  findPostmaster,
  type StartedPostmaster,
  startPostmaster,
  stopPostmaster,
  sweepSocketDirs,
} from './embedded/postmaster.ts';

export interface EmbeddedDatabase {
  /** What pg.Pool needs; `host` is the directory of the server's socket. */
  readonly connection: { host: string; port: number; user: string; database: string };
  /** Gives up this process's lease; the last holder stops the server cleanly. Idempotent. */
  release(): Promise<void>;
}

export interface EmbeddedOptions {
  /** TAXIWAY_DATA_DIR; the database lives in its subdirectory `postgres`. */
  dataDir: string;
  /** Settings of PostgreSQL beside ours, such as `{ fsync: 'off' }`. They count only for whoever starts the server. */
  settings?: Record<string, string>;
  /** Takes notices of one sentence each. */
  log?: (message: string) => void;
}

const database = 'taxiway';
const waitMsMax = 30_000;
const recoveryMsMax = 600_000;

/**
 * Joins the embedded PostgreSQL of a data directory, and starts or makes it where need be.
 *
 * Every holder has a connection with a shared advisory lock, its lease, which ends with the process however that ends.
 * Whoever gives up the last lease stops the server, under the exclusive lock, so that nobody joins a server that is
 * about to go.
 *
 * @throws OperatorError where the database cannot be had: one sentence that says what to do
 */
export async function acquireEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  try {
    return await acquire(options);
  } catch (error) {
    // A socket's error names it as its address.
    const { message, path, address = path } = error as NodeJS.ErrnoException & { address?: string };
    if (error instanceof OperatorError || address === undefined) throw error;
    throw new OperatorError(
      `The embedded database needs ${address}, which this user cannot use (${message}): start Taxiway as the user that it belongs to, or choose another TAXIWAY_DATA_DIR.`,
      { cause: error },
    );
  }
}

async function acquire(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { settings = {}, log: notice = () => undefined } = options;
  const binaries = await findBinaries();
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const logFile = join(dataDir, 'postgres.log');
  const patience = startPatience(dataDir, notice);
  let started: StartedPostmaster | undefined;

  for (;;) {
    const cluster = await locateCluster(dataDir);
    const postmaster = await findPostmaster(cluster);
    const ending = await started?.ending();
    if (ending !== undefined) {
      started = undefined;
      if (!ending.isContention) {
        throw new OperatorError(`PostgreSQL refused to start in ${cluster}: ${ending.lastLines} (see ${logFile}).`);
      }
      patience.note(ending.lastLines);
    } else if (postmaster === undefined && started === undefined) {
      const begunMs = Date.now();
      const host = await prepareHost({ dataDir, binaries, notice });
      await ensureCluster(host, { isDurable: settings.fsync !== 'off', notice });
      started = await startPostmaster(host, { settings, logFile });
      patience.extend(Date.now() - begunMs);
    } else if (postmaster !== undefined && postmaster !== 'starting') {
      const server = { ...postmaster, cluster };
      const lease = await takeLease(server);
      if (lease instanceof pg.Client) {
        // A matter of tidiness, which must not keep anybody from the database.
        await sweepSocketDirs(server, cluster).catch(() => undefined);
        return await openDatabase(server, lease, notice);
      }
      patience.note(lease.reason, lease.isRecovery);
    }
    await patience.pause();
  }
}

async function openDatabase(
  server: Server,
  lease: pg.Client,
  notice: (message: string) => void,
): Promise<EmbeddedDatabase> {
  await ensureDatabase(lease);
  const close = keepLease(server, lease);
  let released: Promise<void> | undefined;
  const release = async () => {
    const connection = await close();
    if (connection === undefined) return;
    try {
      if (!(await isLastLease(connection))) return;
      // The connection stays open meanwhile: its lock keeps others out until the server is gone.
      const isGone = await stopPostmaster(server, server.cluster);
      if (!isGone) notice(`PostgreSQL (process ${server.pid}) is still shutting down.`);
    } finally {
      // Not waited for: the server may have died and never answer.
      connection.end().catch(() => undefined);
    }
  };
  return {
    connection: { host: server.socketDir, port: server.port, user, database },
    release() {
      released ??= release();
      return released;
    },
  };
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
  if (rowCount !== 0) return;
  await client.query(`create database ${database}`).catch((error: Error & { code?: string }) => {
    // Another process of ours made it at the same moment: duplicate_database, unique_violation.
    if (error.code === '42P04' || error.code === '23505') return;
    client.end().catch(() => undefined);
    throw new OperatorError(`PostgreSQL could not make the database ${database}: ${error.message}.`, { cause: error });
  });
}

// Bounds the wait for a server that another process starts or stops. Recovery may take long, and must not be given up.
function startPatience(dataDir: string, notice: (message: string) => void) {
  let start = Date.now();
  let reason = 'it did not answer';
  let isRecovery = false;
  let isAnnounced = false;
  return {
    note(why: string, isRecovering = false) {
      reason = why;
      isRecovery = isRecovering;
    },
    /** Leaves time out of account that was spent on work of our own, such as initdb on a slow disk. */
    extend(ms: number) {
      start += ms;
    },
    async pause() {
      const elapsedMs = Date.now() - start;
      if (elapsedMs > (isRecovery ? recoveryMsMax : waitMsMax)) {
        throw new OperatorError(
          `The embedded database in ${dataDir} was not ready within ${Math.round(elapsedMs / 1000)} s (${reason}): see its postgres.log, then try again.`,
        );
      }
      if (isRecovery && !isAnnounced && elapsedMs > 2_000) {
        isAnnounced = true;
        notice(`Waiting for PostgreSQL: ${reason}.`);
      }
      await sleep(elapsedMs < 1_000 ? 10 : 100);
    },
  };
}
