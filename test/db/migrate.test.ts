import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadIdentity } from '../../src/auth/hub-identity.ts';
import { isMigrated, migrate } from '../../src/db/migrate.ts';
import { type Db, openDatabase } from '../../src/db/pool.ts';
import { findStorage } from '../../src/db/storage.ts';
import { connectionTo } from '../support/database.ts';

const name = 'taxiway_test_migrations';
let opened: Db[];

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client(inject('server'));
  await client.connect();
  await client.query(statement);
  await client.end();
}

function open(): Db {
  const connection = connectionTo(inject('server'), name);
  const db = openDatabase({ connection, connectionsMax: 4, onError: () => {} });
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
    const applied = await Promise.all(nodes.map(migrate));
    expect(applied.filter(names => names.length > 0)).toHaveLength(1);
    expect(await isMigrated(nodes[1] as Db)).toBe(true);
    expect(await migrate(nodes[2] as Db)).toEqual([]);
  });

  it('refuses a database of a newer version in a sentence', async () => {
    const db = open();
    await migrate(db);
    await sql`insert into kysely_migration (name, timestamp) values ('9999_future', now())`.execute(db);
    await expect(migrate(db)).rejects.toThrow('This database was migrated by a newer Taxiway.');
  });
});

it('0006 counts what is stored already', async () => {
  const db = open();
  await migrate(db);
  // As if it had not run yet.
  const statements = (await readFile(new URL('../../migrations/0006_limits.sql', import.meta.url), 'utf8')).split(';');
  const collection = '0f3b6c3e-9f0e-4d55-8d1b-0d4f3a5c9e21';
  await sql`
    insert into object_version (collection_id, date_added, added_by, is_first, is_last, object_id, version, version_text,
      type, spec_version, object)
    select ${collection}::uuid, now() + n * interval '1 second', n % 2, true, true, 'x--' || n, '1', '1', 'x', '2.1', 'ä' || n
    from generate_series(1, 5) as n`.execute(db);
  await sql.raw(statements.find(text => /^\s*insert into storage/m.test(text)) as string).execute(db);
  expect([await findStorage(db, collection, '0'), await findStorage(db, collection, '1')]).toEqual([6, 9]);
});

it('the hub gets one identity, however many nodes start at the same time', async () => {
  const nodes = [open(), open(), open()];
  await migrate(nodes[0] as Db);
  const identities = await Promise.all(nodes.map(loadIdentity));
  expect(new Set(identities.map(({ issuer, signingKey }) => `${issuer} ${signingKey.kid}`)).size).toBe(1);
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
