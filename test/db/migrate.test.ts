import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadIdentity } from '../../src/auth/hub-identity.ts';
import { rotateSigningKey } from '../../src/auth/signing-keys.ts';
import { createVerifier } from '../../src/auth/verifier.ts';
import { operator } from '../../src/db/audit.ts';
import { applyConcurrently } from '../../src/db/concurrently.ts';
import { isMigrated, migrate } from '../../src/db/migrate.ts';
import { everything, pageManifest } from '../../src/db/objects.ts';
import { type Db, openDatabase } from '../../src/db/pool.ts';
import { storedBytes } from '../../src/db/storage.ts';
import { tlpLevels } from '../../src/stix/tlp.ts';
import { toVersionSelector } from '../../src/taxii/filter.ts';
import { beginning, end } from '../../src/taxii/timestamp.ts';
import { connectionTo } from '../support/database.ts';

const name = 'taxiway_test_migrations';
let opened: Db[];

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client(inject('server'));
  await client.connect();
  await client.query(statement);
  await client.end();
}

function open({ connectionsMax = 4 } = {}): Db {
  const connection = connectionTo(inject('server'), name);
  const db = openDatabase({ connection, connectionsMax, onError: () => {} });
  opened.push(db);
  return db;
}

beforeEach(async () => {
  opened = [];
  await asAdmin(`create database ${name}`);
});
afterEach(async () => {
  await Promise.all(opened.map(db => db.destroy()));
  await asAdmin(`drop database ${name} with (force)`);
});

describe('migrate', () => {
  it('applies everything once, however many nodes start at the same time', async () => {
    const nodes = [open(), open(), open(), open()];
    expect(await isMigrated(nodes[0] as Db)).toBe(false);
    const applied = await Promise.all(nodes.map(node => migrate(node)));
    expect(applied.filter(names => names.length > 0)).toHaveLength(1);
    expect(await isMigrated(nodes[1] as Db)).toBe(true);
    expect(await migrate(nodes[2] as Db)).toEqual([]);
  });

  it('takes the time that it takes, where a statement may take a second', async () => {
    const db = open();
    await sql`
      create function be_slow() returns event_trigger language plpgsql as $$ begin perform pg_sleep(1.5); end $$`.execute(
      db,
    );
    await sql`create event trigger slow on ddl_command_end when tag in ('CREATE TRIGGER') execute function be_slow()`.execute(
      db,
    );
    const hasty = open({ connectionsMax: 1 });
    await sql`set statement_timeout = '1s'`.execute(hasty);
    await migrate(hasty);
    expect(await isMigrated(hasty)).toBe(true);
  });

  it('refuses a database of a newer version in a sentence', async () => {
    const db = open();
    await migrate(db);
    await sql`insert into kysely_migration (name, timestamp) values ('9999_future', now())`.execute(db);
    await expect(migrate(db)).rejects.toThrow('This database was migrated by a newer Taxiway.');
  });
});

describe('a hub from before grants and levels', () => {
  const [red, green, amber] = [
    'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed',
    'marking-definition--34098FCE-860F-48AE-8E50-EBD3CC5E41DA',
    'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82',
  ];
  const shared = '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10';
  const other = '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a11';

  /** Objects as they were kept then: an id, a version, and what it is marked with. */
  const versions: [id: string, version: string, properties: object][] = [
    ['a', '2026-01-01T00:00:00', { object_marking_refs: [green] }],
    ['a', '2026-01-02T00:00:00', { object_marking_refs: [red, green] }],
    ['a', '2026-01-03T00:00:00', { granular_markings: [{ marking_ref: amber, selectors: ['name'] }] }],
    ['b', '2026-01-01T00:00:00', {}],
    ['c', '2026-01-01T00:00:00', { name: 'with a \u0000 and an ä', object_marking_refs: [red] }],
    ['d', '2026-01-01T00:00:00', { object_refs: [red], object_marking_refs: 'none', granular_markings: [7] }],
  ];

  async function fill(db: Db): Promise<void> {
    await sql`insert into partner (slug, name, sector) values ('bank', 'Bank', 'finance'), ('gone', 'Gone', 'x')`.execute(
      db,
    );
    await sql`insert into collection (id, alias, api_root, title)
      values (${shared}, 'shared', 'hub', 'Shared'), (${other}, 'other', 'hub', 'Other')`.execute(db);
    await sql`insert into signing_key (kid, private_jwk) values ('first', '{}')`.execute(db);
    await sql`insert into token (jti, partner_id, scope, issued_at, expires_at, revoked_at) values
      (gen_random_uuid(), 1, 'collection:shared:read collection:shared:write', now(), now() + interval '1 day', null),
      (gen_random_uuid(), 1, ${`collection:${other}:read`}, now(), now() + interval '1 day', null),
      (gen_random_uuid(), 2, 'collection:*:write', now() - interval '2 days', now() - interval '1 day', null),
      (gen_random_uuid(), 2, 'collection:*:read', now(), now() + interval '1 day', now())`.execute(db);
    for (const [index, [id, version, properties]] of versions.entries()) {
      const day = Number(version.slice(8, 10));
      await sql`insert into object_version (collection_id, date_added, added_by, is_first, is_last, object_id, version,
          version_text, type, spec_version, object)
        values (${shared}, now() + ${index} * interval '1 second', 1, ${day === 1}, ${id !== 'a' || day === 3}, ${id},
          ${version}, ${version}, 'report', '2.1', ${JSON.stringify({ id, ...properties })})`.execute(db);
    }
  }

  it('turns what living tokens say into grants, and finds the levels of what it holds', async () => {
    const db = open();
    await migrate(db, { upTo: '0002_collection_validation' });
    await fill(db);
    await migrate(db);
    const grants = await sql`select partner_id, alias, can_read, can_write, tlp_ceiling
      from access_grant join collection on collection.id = collection_id order by alias`.execute(db);
    expect(grants.rows).toEqual([
      { partner_id: '1', alias: 'other', can_read: true, can_write: false, tlp_ceiling: 2 },
      { partner_id: '1', alias: 'shared', can_read: true, can_write: true, tlp_ceiling: 2 },
    ]);
    const { rows } = await sql<Record<string, unknown>>`
      select object_id as id, tlp, first_below, last_below from object_version order by object_id, version`.execute(db);
    expect(rows).toEqual([
      { id: 'a', tlp: 1, first_below: 5, last_below: 2 },
      { id: 'a', tlp: 4, first_below: 1, last_below: 2 },
      { id: 'a', tlp: 2, first_below: 1, last_below: 5 },
      { id: 'b', tlp: 2, first_below: 5, last_below: 5 },
      { id: 'c', tlp: 4, first_below: 5, last_below: 5 },
      { id: 'd', tlp: 2, first_below: 5, last_below: 5 },
    ]);
    const texts = versions.map(([id, , properties]) => JSON.stringify({ id, ...properties }));
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect((await storedBytes(shared, ['1', '2']).execute(db)).rows).toEqual([
      { partner_id: '1', bytes: String(bytes) },
    ]);
    const held = await sql`select tlp_held from collection order by alias`.execute(db);
    expect(held.rows).toEqual([{ tlp_held: 0 }, { tlp_held: 0b10110 }]);
  });
});

it('tokens from before keys rotated stay good, and a rotation spares them', async () => {
  const db = open();
  await migrate(db, { upTo: '0002_collection_validation' });
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const [id, jti, jwk] = [randomUUID(), randomUUID(), JSON.stringify(await exportJWK(privateKey))];
  await sql`insert into hub (id, cursor_key) values (${id}, '')`.execute(db);
  await sql`insert into signing_key (kid, private_jwk) values ('first', ${jwk})`.execute(db);
  await sql`insert into partner (slug, name, sector) values ('bank', 'Bank', 'finance')`.execute(db);
  await sql`insert into token (jti, partner_id, scope, issued_at, expires_at)
    select ${jti}, id, 'collection:*:read', now(), now() + interval '1 hour' from partner`.execute(db);
  const iss = `urn:uuid:${id}`;
  const token = await new SignJWT({ iss, aud: iss, sub: 'bank', jti, scope: 'collection:*:read' })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'first' })
    .setExpirationTime('1h')
    .sign(privateKey);

  await migrate(db);
  const verify = createVerifier(db, await loadIdentity(db));
  expect(await verify(token)).toMatchObject({ partner: 'bank', tokenId: jti });
  await db.transaction().execute(tx => rotateSigningKey(tx, operator));
  await sql`update signing_key set superseded_at = now() - interval '1 day' where kid = 'first'`.execute(db);
  expect(await createVerifier(db, await loadIdentity(db))(token)).toMatchObject({ partner: 'bank' });
});

it('the hub gets one identity, however many nodes start at the same time', async () => {
  const nodes = [open(), open(), open()];
  await migrate(nodes[0] as Db);
  const identities = await Promise.all(nodes.map(loadIdentity));
  const keys = await Promise.all(identities.map(({ verifyingKeys }) => verifyingKeys()));
  expect(new Set(identities.map(({ issuer }) => issuer)).size).toBe(1);
  expect(new Set(keys.map(({ published }) => JSON.stringify(published))).size).toBe(1);
  expect(keys[0]?.published.keys).toHaveLength(1);
});

it('every unique key of stored objects contains the collection, so that the table can be distributed by it', async () => {
  const db = open();
  await migrate(db);
  const { rows } = await sql<{ definition: string }>`
    select pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid = 'object_version'::regclass and indisunique`.execute(db);
  expect(rows.length).toBeGreaterThan(0);
  for (const { definition } of rows) expect(definition).toMatch(/\(.*\bcollection_id\b.*\)/);
});

describe('indexes of a table that holds objects', () => {
  const collection = '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10';
  const indexes = async (db: Db) => {
    const { rows } = await sql<{ name: string; is_valid: boolean }>`
      select indexrelid::regclass::text as name, indisvalid as is_valid from pg_index
      where indrelid = 'object_version'::regclass order by name`.execute(db);
    return new Map(rows.map(row => [row.name, row.is_valid]));
  };
  const made = [
    'object_version_range',
    'object_version_range_own',
    'object_version_range_type',
    'object_version_version',
  ];
  const dropped = ['object_version_last', 'object_version_own', 'object_version_pkey', 'object_version_type'];
  const kept = ['object_version_key', 'object_version_mixed_case'];

  /** A hub of the version before, with an object. */
  async function startWithObject(): Promise<Db> {
    const db = open();
    await migrate(db, { upTo: '0011_revisions' });
    await sql`insert into object_version (collection_id, date_added, added_by, tlp, object_id, version, version_text, type,
      spec_version, object) values (${collection}, now(), 1, 2, 'indicator--1', '1', '1', 'indicator', '2.1', '{}')`.execute(
      db,
    );
    await migrate(db);
    return db;
  }
  const readAll = async (db: Db) => {
    const bounds = { after: beginning, until: end, levels: tlpLevels, objectsMax: 10, bytesMax: 1000 };
    return (await pageManifest(db, collection, everything, { versions: toVersionSelector(['last']) }, bounds)).rows;
  };

  it('are made beside the requests, and answers are right before', async () => {
    const db = await startWithObject();
    expect([...(await indexes(db)).keys()]).toEqual([...kept, ...dropped].sort());
    expect(await readAll(db)).toHaveLength(1);
    expect(await applyConcurrently(db, ['make'])).toEqual(['0012_ranges.make']);
    expect([...(await indexes(db)).keys()]).toEqual([...kept, ...dropped, ...made].sort());
    expect(await applyConcurrently(db, ['make', 'drop'])).toEqual(['0012_ranges.drop']);
    expect(await indexes(db)).toEqual(new Map([...kept, ...made].sort().map(name => [name, true])));
    expect(await readAll(db)).toHaveLength(1);
    expect(await applyConcurrently(db, ['make', 'drop'])).toEqual([]);
  });

  it('are made by one of the nodes that start at the same time', async () => {
    const db = await startWithObject();
    await Promise.all([db, open(), open()].map(node => applyConcurrently(node, ['make', 'drop'])));
    expect(await indexes(db)).toEqual(new Map([...kept, ...made].sort().map(name => [name, true])));
  });

  it('are taken up again where making one was interrupted', async () => {
    const db = await startWithObject();
    const builder = open({ connectionsMax: 1 });
    // It waits for a transaction that has begun before, and is cut off there.
    await db.transaction().execute(async tx => {
      await sql`select from object_version`.execute(tx);
      await sql`update object_version set version_text = '2'`.execute(tx);
      const making = applyConcurrently(builder, ['make']).catch(error => error as Error);
      const cancel = async () => {
        // Before it waits, nothing of the index is there yet.
        const { rows } = await sql`
          select pg_cancel_backend(pid) from pg_stat_progress_create_index
          where datname = current_database() and phase like 'waiting for%'`.execute(db);
        return rows.length > 0;
      };
      while (!(await cancel())) await sleep(20);
      expect(await making).toMatchObject({ message: 'canceling statement due to user request' });
    });
    expect((await indexes(db)).get('object_version_range')).toBe(false);
    expect(await readAll(db)).toHaveLength(1);
    await applyConcurrently(open(), ['make', 'drop']);
    expect(await indexes(db)).toEqual(new Map([...kept, ...made].sort().map(name => [name, true])));
  });

  it('leave the time that statements may take as it was', async () => {
    const db = await startWithObject();
    const node = open({ connectionsMax: 1 });
    const timeout = async () => (await sql`show statement_timeout`.execute(node)).rows;
    const before = await timeout();
    await applyConcurrently(node, ['make', 'drop']);
    expect(await timeout()).toEqual(before);
    expect((await indexes(db)).size).toBe(kept.length + made.length);
  });
});
