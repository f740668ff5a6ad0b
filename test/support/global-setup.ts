import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { acquireEmbeddedDatabase } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/pool.ts';
import { connectionTo, type TestServer, templateName } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    server: TestServer;
  }
}

/**
 * One real PostgreSQL for the whole run: that of TEST_DATABASE_URL, or an embedded one without fsync. Its template
 * database is migrated once; each test file clones it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env.TEST_DATABASE_URL;
  const dataDir = await mkdtemp(join(tmpdir(), 'taxiway-test-'));
  const embedded = url
    ? undefined
    : await acquireEmbeddedDatabase({ dataDir, settings: { fsync: 'off', synchronous_commit: 'off' } });
  const server: TestServer = embedded?.connection ?? { connectionString: url as string };
  project.provide('server', server);

  const admin = new pg.Client(server);
  await admin.connect();
  await admin.query(`drop database if exists ${templateName} with (force)`);
  await admin.query(`create database ${templateName}`);
  const template = openDatabase({
    connection: connectionTo(server, templateName),
    connectionsMax: 2,
    onError: error => console.error(error),
  });
  await migrate(template);
  await template.destroy();

  return async () => {
    await admin.query(`drop database if exists ${templateName} with (force)`);
    await admin.end();
    await embedded?.release();
    await rm(dataDir, { recursive: true, force: true });
  };
}
