import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, toConfig } from '../../src/config.ts';
import { connect, type DatabaseHandle } from '../../src/db/connect.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { createSite, freePort } from '../support/process.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { indicator } from '../support/stix.ts';

// In transaction mode, each transaction of the hub may have another session of PostgreSQL. With two sessions and more
// connections of the hub, they nearly always do.
const sessionsMax = 2;
const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

describe.skipIf(!hasPgBouncer)('behind PgBouncer in transaction mode (skipped where there is none)', () => {
  let database: TestDatabase;
  let relay: Relay;
  let directory: string;
  let bouncer: ChildProcess;
  let handles: DatabaseHandle[];
  let hub: TestHub;
  let config: Config;

  beforeAll(async () => {
    database = await createTestDatabase();
    // PgBouncer runs under another account, which may not reach the socket of the server.
    relay = await startRelay(database.connection);
    const direct = new URL(relay.connection.connectionString);
    directory = await mkdtemp(join(tmpdir(), 'taxiway-pgbouncer-'));
    await chmod(directory, 0o755);
    const port = await freePort();
    const settings = `[databases]
* = host=127.0.0.1 port=${direct.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${directory}/users
pool_mode = transaction
default_pool_size = ${sessionsMax}
`;
    await writeFile(join(directory, 'users'), `"${direct.username}" ""\n`);
    await writeFile(join(directory, 'settings.ini'), settings);
    // It refuses to run as root.
    const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    bouncer = spawn('pgbouncer', [join(directory, 'settings.ini')], { stdio: 'ignore', ...account });
    const pooled = new URL(direct);
    pooled.port = String(port);
    const [databaseUrl, databaseDirectUrl] = [pooled.href, direct.href];
    config = toConfig({ DATABASE_URL: databaseUrl, DATABASE_DIRECT_URL: databaseDirectUrl });
    await waitFor(port);
    const open = () => connect(config, { log: () => undefined, migrations: 'apply' });
    // Both at once, as nodes start.
    handles = await Promise.all([open(), open()]);
    const [first, second] = handles as [DatabaseHandle, DatabaseHandle];
    hub = await startTestHub(
      { stalenessMsMax: 250, databaseDirectUrl },
      { db: first.db, connection: first.connection, open: () => second.db, drop: async () => undefined },
    );
  });
  afterAll(async () => {
    await hub?.close();
    await Promise.all(handles?.map(handle => handle.close()) ?? []);
    bouncer?.kill();
    await relay?.close();
    await database?.drop();
    await rm(directory, { recursive: true, force: true });
  });

  it('sessions have the settings that the hub relies upon', async () => {
    const [handle] = handles as [DatabaseHandle];
    const names = ['enable_bitmapscan', 'enable_seqscan', 'jit', 'statement_timeout', 'lock_timeout'];
    const read = () =>
      sql<{ setting: string }>`select current_setting(name) as setting, pg_sleep(0.05)
        from unnest(${names}::text[]) as name`.execute(handle.db);
    for (const { rows } of await Promise.all([read(), read(), read()])) {
      expect(rows.map(({ setting }) => setting)).toEqual(['off', 'off', 'off', '1min', '20s']);
    }
  });

  it('two nodes write and read at once, and know of each other', async () => {
    const other = await hub.addNode();
    await hub.addCollection({ alias: 'pooled' });
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:pooled:read collection:pooled:write');
    const url = '/hub/collections/pooled/objects/';
    const headers = { accept: taxii, 'content-type': taxii, authorization: `Bearer ${token}` };
    const objects = Array.from({ length: 60 }, () => indicator());
    const written = objects.map(async (object, turn) => {
      const app = turn % 2 === 0 ? hub.app : other;
      const answer = await app.inject({ method: 'POST', url, headers, payload: { objects: [object] } });
      expect(answer.statusCode).toBe(202);
      // A poll, whose plan connections to PostgreSQL itself keep.
      const page = await app.inject({ url: `${url}?limit=${1 + turn}`, headers });
      expect(page.statusCode).toBe(200);
      return object.id;
    });
    const ids = await Promise.all(written);
    for (const app of [hub.app, other]) {
      const held = async () =>
        (await app.inject({ url: `${url}?limit=100`, headers })).json().objects.map((one: { id: string }) => one.id);
      await expect.poll(async () => (await held()).sort()).toEqual([...ids].sort());
    }
  });

  it('migrate makes what large tables need, and leaves the sessions of others as they are', async () => {
    const { databaseUrl: DATABASE_URL, databaseDirectUrl: DATABASE_DIRECT_URL } = config;
    const site = await createSite({ DATABASE_URL, DATABASE_DIRECT_URL } as Record<string, string>);
    await sql`delete from concurrent_migration`.execute((handles[0] as DatabaseHandle).db);
    expect(await site.ok('migrate')).toBe('Applied 0012_ranges.make.');
    const read = () =>
      sql<{ statement_timeout: string }>`show statement_timeout`.execute((handles[0] as DatabaseHandle).db);
    for (const { rows } of await Promise.all([read(), read(), read()])) {
      expect(rows).toEqual([{ statement_timeout: '1min' }]);
    }
    await site.remove();
  });
});

/** Ends when something listens there. It sends nothing: PgBouncer would open a session, with the settings from before. */
async function waitFor(port: number): Promise<void> {
  for (;;) {
    const socket = createConnection(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}
