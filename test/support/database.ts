import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Db, openDatabase, type PoolOptions } from '../../src/db/pool.ts';

/** How to reach the PostgreSQL of this run. */
export type TestServer = PoolOptions['connection'];

export const templateName = 'taxiway_template';

export interface TestDatabase {
  db: Db;
  connection: TestServer;
  /** another pool on the same database, as another node would have */
  open(connectionsMax?: number): Db;
  drop(): Promise<void>;
}

/** A database of one's own, with the migrations applied. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('server');
  const name = `taxiway_test_${randomBytes(6).toString('hex')}`;
  await runAsAdmin(server, `create database ${name} template ${templateName}`);
  const connection = connectionTo(server, name);
  const opened: Db[] = [];
  const open = (connectionsMax = 10) => {
    const db = openDatabase({ connection, connectionsMax, onError: () => {} });
    opened.push(db);
    return db;
  };
  return {
    db: open(),
    connection,
    open,
    async drop() {
      await Promise.all(opened.map(db => db.destroy()));
      await runAsAdmin(server, `drop database ${name} with (force)`);
    },
  };
}

export function connectionTo(server: TestServer, database: string): TestServer {
  if (!('connectionString' in server)) return { ...server, database };
  const url = new URL(server.connectionString);
  url.pathname = `/${database}`;
  return { connectionString: url.href };
}

async function runAsAdmin(server: TestServer, statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  // Two clones of one template at the same time would meet; the lock lets one through after the other.
  await client.query('select pg_advisory_lock(7)');
  await client.query(statement);
  await client.end();
}
