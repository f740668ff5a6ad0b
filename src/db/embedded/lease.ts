import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { OperatorError } from '../../errors.ts';
import { isPostmasterOf, type Postmaster } from './postmaster.ts';

/** A running server and the data directory that it is to be the server of. */
export interface Server extends Postmaster {
  cluster: string;
}

/** Why there is no lease yet. */
export interface Refusal {
  reason: string;
  /** The server is there and asks for time, to replay what it had not written when it was killed, or to finish. */
  isRecovery: boolean;
}

/** The role that initdb makes; with trust as the only authentication it has no password. */
export const user = 'taxiway';

// Leases are held on a database of their own: a connection to `taxiway` would keep it from being copied or dropped.
const leaseDatabase = 'postgres';
// The bytes of "taxiway1".
const leaseKey = '8386116375510350129';
const queryMsMax = 30_000;
const graceMs = 1_000;

/**
 * Connects to a server and takes a lease on it: a shared advisory lock, held as long as the connection is open.
 *
 * @throws OperatorError where the server answers for another data directory; EACCES where this user may not connect
 */
export async function takeLease(server: Server): Promise<pg.Client | Refusal> {
  const client = new pg.Client({
    host: server.socketDir,
    port: server.port,
    user,
    database: leaseDatabase,
    application_name: 'taxiway lease',
    // Said outright, since PGSSLMODE in the environment would ask for it.
    ssl: false,
    connectionTimeoutMillis: 5_000,
    query_timeout: queryMsMax,
  });
  // A server that goes away must not end this process; whoever has to know listens to 'end'.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const text = `select current_setting('data_directory') as directory, pg_try_advisory_lock_shared(${leaseKey}) as taken`;
    const { rows } = await client.query<{ directory: string; taken: boolean }>(text);
    await assertServes(rows[0]?.directory ?? '', server);
    if (rows[0]?.taken === true) return client;
    client.end().catch(() => undefined);
    return { reason: 'it is being stopped', isRecovery: false };
  } catch (error) {
    client.end().catch(() => undefined);
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof OperatorError || code === 'EACCES') throw error;
    return { reason: message, isRecovery: code === '57P03' };
  }
}

async function assertServes(directory: string, { cluster, pid }: Server): Promise<void> {
  if ((await realpath(directory).catch(() => directory)) === cluster) return;
  throw new OperatorError(
    `The PostgreSQL server with process number ${pid} was started on ${directory} and not on ${cluster}: stop it, then try again.`,
  );
}

/**
 * Takes the lease again when its connection is lost and the server still runs: PostgreSQL drops all connections when
 * one of its processes crashes, and a command that ran beside the hub would then stop the server under it.
 *
 * @returns a function that ends this and gives the connection, if there is one
 */
export function keepLease(server: Server, lease: pg.Client): () => Promise<pg.Client | undefined> {
  let current: pg.Client | undefined = lease;
  let isClosing = false;
  let retaking = Promise.resolve();
  let retakenAtMs = 0;
  const retake = async () => {
    while (!isClosing && (await isPostmasterOf(server.pid, server.cluster))) {
      const taken = await takeLease(server).catch(() => undefined);
      if (taken instanceof pg.Client) {
        retakenAtMs = Date.now();
        return watch(taken);
      }
      await sleep(50);
    }
  };
  const watch = (client: pg.Client) => {
    current = client;
    client.once('end', () => {
      current = undefined;
      if (!isClosing) retaking = retake();
    });
  };
  watch(lease);
  return async () => {
    isClosing = true;
    await retaking;
    // The other holders lost theirs at the same moment, and are to have them back before anybody counts.
    await sleep(Math.max(0, retakenAtMs + graceMs - Date.now()));
    return current;
  };
}

/** Gives the lease up, and tells whether it was the last one: then the connection holds the lock that keeps others out. */
export async function isLastLease(client: pg.Client): Promise<boolean> {
  try {
    await client.query(`select pg_advisory_unlock_shared(${leaseKey})`);
    const { rows } = await client.query<{ last: boolean }>(`select pg_try_advisory_lock(${leaseKey}) as last`);
    return rows[0]?.last === true;
  } catch {
    // The server has gone already.
    return false;
  }
}
