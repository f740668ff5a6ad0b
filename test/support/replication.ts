import { appendFile, chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from '../../src/db/embedded/binaries.ts';
import { giveToServer, type Host, prepareHost } from '../../src/db/embedded/host.ts';
import { ensureCluster, findPostmaster, startPostmaster, stopPostmaster } from '../../src/db/embedded/postmaster.ts';
import { freePort } from './process.ts';

/** A PostgreSQL server of its own, on loopback. */
export interface TestPostgres {
  port: number;
  url: string;
  pid(): Promise<number>;
  /** @param database `taxiway` where it is left out */
  query(text: string, database?: string): Promise<Record<string, unknown>[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** from its next start on it is a standby that nobody sends anything */
  demote(): Promise<void>;
}

export interface Replication {
  primary: TestPostgres;
  /** replays what the primary writes */
  standby: TestPostgres;
  remove(): Promise<void>;
}

const database = 'taxiway';

/**
 * Starts a primary with an empty database, and a hot standby of it under the name `standby`.
 * @param settings of both, beside those that replication takes
 */
export async function startReplication(settings: Record<string, string> = {}): Promise<Replication> {
  const directory = await mkdtemp(join(tmpdir(), 'taxiway-replication-'));
  const [primaryHost, standbyHost] = [await prepare(join(directory, 'a')), await prepare(join(directory, 'b'))];
  await ensureCluster(primaryHost, { isDurable: settings.fsync !== 'off', notice: () => undefined });
  // Nothing has run on it yet: a standby that begins with a copy replays all that the primary ever writes.
  await cp(primaryHost.cluster, standbyHost.cluster, { recursive: true });
  const primary = createServer(primaryHost, await freePort(), settings);
  const standby = createServer(standbyHost, await freePort(), settings);
  await follow(standbyHost, primary);
  await primary.start();
  await primary.query(`create database ${database}`, 'postgres');
  await standby.start();
  return {
    primary,
    standby,
    async remove() {
      await Promise.all([primary.stop(), standby.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function prepare(dataDir: string): Promise<Host> {
  // The account that PostgreSQL runs under must get in.
  await mkdir(dataDir, { recursive: true });
  await chmod(dirname(dataDir), 0o755);
  return prepareHost({ dataDir, binaries: await findBinaries(), notice: () => undefined });
}

async function follow(host: Host, { port }: TestPostgres): Promise<void> {
  const source = `host=127.0.0.1 port=${port} user=taxiway application_name=standby`;
  await appendFile(join(host.cluster, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`);
  await writeFile(join(host.cluster, 'standby.signal'), '');
  await giveToServer(host, host.cluster);
}

function createServer(host: Host, port: number, settings: Record<string, string>): TestPostgres {
  const { cluster } = host;
  const connection = (name: string) => ({ host: '127.0.0.1', port, user: 'taxiway', database: name });
  const server: TestPostgres = {
    port,
    url: `postgres://taxiway@127.0.0.1:${port}/${database}`,
    async pid() {
      const found = await findPostmaster(cluster);
      if (found === undefined || found === 'starting') throw new Error(`no server runs on ${cluster}`);
      return found.pid;
    },
    async query(text, name = database) {
      const client = new pg.Client(connection(name));
      client.on('error', () => undefined);
      await client.connect();
      return client.query(text).then(
        ({ rows }) => client.end().then(() => rows),
        error =>
          client.end().then(() => {
            throw error;
          }),
      );
    },
    async start() {
      const started = await startPostmaster(host, {
        settings: { listen_addresses: '127.0.0.1', port: String(port), wal_keep_size: '1GB', ...settings },
        logFile: `${cluster}.log`,
      });
      while (!(await server.query('select 1', 'postgres').catch(() => undefined))) {
        const ending = await started.ending();
        if (ending) throw new Error(`PostgreSQL has ended: ${ending.lastLines}`);
        await sleep(50);
      }
    },
    async stop() {
      const found = await findPostmaster(cluster);
      if (found !== undefined && found !== 'starting') await stopPostmaster(found, cluster);
    },
    demote: () => writeFile(join(cluster, 'standby.signal'), ''),
  };
  return server;
}
