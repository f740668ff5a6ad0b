import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findCollection } from '../../src/db/collections.ts';
import { migrate } from '../../src/db/migrate.ts';
import { type Db, openDatabase } from '../../src/db/pool.ts';
import { Replicas } from '../../src/db/replicas.ts';
import { Watch } from '../../src/db/watch.ts';
import { startTestHub } from '../support/hub.ts';
import { type Replication, startReplication, type TestPostgres } from '../support/replication.ts';
import { indicator, revise } from '../support/stix.ts';

// Standbys that pages are read from (ARCHITECTURE.md, "Standbys"), on a real one that is held back, stopped and promoted.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const id = '11111111-1111-4111-8111-111111111111';
const lagMsMax = 1500;
let servers: Replication;
let primary: Db;
let standby: Db;
let watch: Watch;
let replicas: Replicas;
const said: string[] = [];

const open = ({ url }: TestPostgres) =>
  openDatabase({ connection: { connectionString: url }, connectionsMax: 4, onError: () => undefined });

beforeAll(async () => {
  servers = await startReplication({ fsync: 'off' });
  primary = open(servers.primary);
  standby = open(servers.standby);
  await migrate(primary);
  await servers.primary.query(
    `insert into collection (id, alias, api_root, title) values ('${id}', 'alpha', 'hub', 'Alpha')`,
  );
  watch = new Watch(primary, { stalenessMsMax: 250 });
  const urls = [servers.standby.url];
  replicas = new Replicas(primary, watch, { urls, connectionsMax: 2, lagMsMax, log: line => said.push(line) });
});
afterAll(async () => {
  await Promise.all([replicas.close(), watch.close(), primary.destroy(), standby.destroy()]);
  await servers.remove();
});

const now = async () => {
  const row = await findCollection(primary, id);
  if (!row) throw new Error('no collection');
  return row;
};

/** Who was asked, by what the server says of itself. */
async function ask(
  known: Awaited<ReturnType<typeof now>>,
  { more = false, after = '0001-01-01T00:00:00.000000Z' } = {},
) {
  return replicas.read(known, { after }, async db => {
    const { rows } = await db.executeQuery<{ is: boolean }>(sql`select pg_is_in_recovery() as is`.compile(db));
    return { more, server: rows[0]?.is ? 'standby' : 'primary' };
  });
}
const server = async (...args: Parameters<typeof ask>) => (await ask(...args)).server;

const change = (set: string) => servers.primary.query(`update collection set ${set} where id = '${id}'`);
const add = () => change(`date_added_last = date_added_last + interval '1 second'`);
const hold = () => servers.standby.query('select pg_wal_replay_pause()');
const release = () => servers.standby.query('select pg_wal_replay_resume()');
const isAsked = async () => expect.poll(async () => server(await now()), { timeout: 30_000 }).toBe('standby');

describe('a standby that is near enough to the primary', () => {
  it('is asked, once the node has looked where it stands', async () => {
    expect(await server(await now())).toBe('primary');
    await isAsked();
    expect(said).toEqual([expect.stringMatching(/^The standby 127\.0\.0\.1:\d+ takes part in reading\.$/)]);
  });

  it('is asked for full pages alone while it lacks additions', async () => {
    await isAsked();
    const before = await now();
    await hold();
    await add();
    const known = await now();
    expect(await server(known, { more: true })).toBe('standby');
    // It may lack what belongs to the page.
    expect(await server(known, { more: false })).toBe('primary');
    // It has nothing there; to ask for a page would be in vain.
    expect(await server(known, { more: true, after: before.date_added_last })).toBe('primary');
    await release();
  });

  it.each(['past_revision', 'grants_revision'])('is not asked while it lacks what %s tells of', async revision => {
    await isAsked();
    await hold();
    await change(`${revision} = revision + 1`);
    const known = await now();
    expect(await server(known, { more: true })).toBe('primary');
    await release();
    await expect.poll(() => server(known), { timeout: 20_000 }).toBe('standby');
  });
});

describe('a standby that is not', () => {
  it('is left out while it is too far behind, and taken in again', async () => {
    await isAsked();
    await hold();
    const known = await now();
    const keepWriting = async () => {
      await servers.primary.query("select pg_logical_emit_message(true, 'test', repeat('x', 1000))");
      return server(known);
    };
    await expect.poll(keepWriting, { timeout: 30_000, interval: 200 }).toBe('primary');
    expect(said.at(-1)).toMatch(/is left out of reading: it is too far behind/);
    await release();
    await isAsked();
  });

  it('is left out while it is down, without an error for anybody', async () => {
    await isAsked();
    await servers.standby.stop();
    expect(await server(await now())).toBe('primary');
    expect(said.at(-1)).toMatch(/is left out of reading/);
    await servers.standby.start();
    await isAsked();
  });

  it('is left out while it does not answer', async () => {
    await isAsked();
    const pid = await servers.standby.pid();
    const all = (await servers.standby.query('select pid from pg_stat_activity where pid is not null')).map(
      row => row.pid,
    );
    for (const one of [pid, ...all]) signal(one as number, 'SIGSTOP');
    try {
      expect(await server(await now())).toBe('primary');
      expect(said.at(-1)).toMatch(/no answer within/);
    } finally {
      for (const one of [pid, ...all]) signal(one as number, 'SIGCONT');
    }
    await isAsked();
  });

  it('is left out from when a look of the node has failed until its own place is known anew', async () => {
    const known = await now();
    const forgetful = { generation: 1 };
    const urls = [servers.standby.url];
    const others = new Replicas(primary, forgetful, { urls, connectionsMax: 2, lagMsMax, log: () => undefined });
    const isStandby = async () =>
      (await others.read(known, { after: '' }, async db => ({ more: true, db }))).db !== primary;
    await expect.poll(isStandby, { timeout: 20_000 }).toBe(true);
    forgetful.generation = 2;
    expect(await isStandby()).toBe(false);
    await expect.poll(isStandby, { timeout: 20_000 }).toBe(true);
    await others.close();
  });
});

describe('a hub that reads from a standby', () => {
  it('gives its pollers every version once, in order, while the standby stands still and catches up', async () => {
    const connection = { connectionString: servers.primary.url };
    const opened: Db[] = [];
    const database = {
      db: primary,
      connection,
      open: () => {
        const db = open(servers.primary);
        opened.push(db);
        return db;
      },
      drop: async () => void (await Promise.all(opened.map(db => db.destroy()))),
    };
    const settings = { stalenessMsMax: 250, databaseReplicaUrls: [servers.standby.url], replicaLagMsMax: 60_000 };
    const hub = await startTestHub(settings, database);
    await hub.addCollection({ alias: 'polled' });
    const token = await hub.tokenFor(await hub.addPartner('bank'), 'collection:polled:read collection:polled:write');
    const url = '/hub/collections/polled/objects/';
    const versions: string[] = [];
    const seen: string[] = [];
    let after = '';
    const poll = async () => {
      const answer = await hub.get(token, `${url}?limit=7&match[version]=all${after}`);
      expect(answer.statusCode).toBe(200);
      const { objects = [], more } = answer.json();
      after = `&added_after=${answer.headers['x-taxii-date-added-last']}`;
      seen.push(...objects.map((one: { id: string; modified: string }) => `${one.id} ${one.modified}`));
      // The one that is not at the end either way.
      await hub.get(token, `${url}?limit=3`);
      return more;
    };
    for (let turn = 0; turn < 60; turn += 1) {
      if (turn % 6 === 2) await hold();
      if (turn % 6 === 5) await release();
      const object = indicator();
      const objects = turn % 4 === 0 ? [object, revise(object, '2026-03-02T10:00:00.000Z')] : [object];
      expect((await hub.post(token, url, { objects })).statusCode).toBe(202);
      versions.push(...objects.map(({ id, modified }) => `${id} ${modified}`));
      if (turn % 3 === 0) await poll();
    }
    await release();
    await expect
      .poll(async () => ((await poll()) ? [] : [...seen].sort()), { timeout: 20_000 })
      .toEqual(versions.sort());
    // Some of it came from there.
    await expect
      .poll(async () => {
        const counted = `select idx_scan::int as count from pg_stat_user_tables where relname = 'object_version'`;
        return (await servers.standby.query(counted))[0]?.count;
      })
      .toBeGreaterThan(0);
    await hub.close();
  });
});

describe('after a fail-over', () => {
  it('neither the new primary nor a server that stayed behind on the old timeline counts as a standby', async () => {
    await isAsked();
    await servers.standby.query('select pg_promote()');
    const lastSaid = async () => {
      await server(await now());
      return said.at(-1);
    };
    await expect.poll(lastSaid, { timeout: 20_000 }).toMatch(/it is no standby/);

    await servers.primary.stop();
    await servers.primary.demote();
    await servers.primary.start();
    const [promoted, urls] = [standby, [servers.primary.url]];
    const lines: string[] = [];
    const newWatch = new Watch(promoted, { stalenessMsMax: 250 });
    const left = new Replicas(promoted, newWatch, { urls, connectionsMax: 2, lagMsMax, log: line => lines.push(line) });
    const known = await now();
    const wrong = async () => (await left.read(known, { after: '' }, async db => ({ more: true, db }))).db !== promoted;
    for (let turn = 0; turn < 15; turn += 1) {
      expect(await wrong()).toBe(false);
      await sleep(200);
    }
    await Promise.all([left.close(), newWatch.close()]);
  });
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {}
}
