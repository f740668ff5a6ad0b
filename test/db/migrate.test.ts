import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Migrator, sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadIdentity } from '../../src/auth/hub-identity.ts';
import { rotateSigningKey } from '../../src/auth/signing-keys.ts';
import { createVerifier } from '../../src/auth/verifier.ts';
import { operator } from '../../src/db/audit.ts';
import { isMigrated, migrate } from '../../src/db/migrate.ts';
import { type Db, openDatabase } from '../../src/db/pool.ts';
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

it('tokens from before keys rotated stay good, and a rotation spares them', async () => {
  const db = open();
  const folder = new URL('../../migrations/', import.meta.url);
  const before = (await readdir(folder)).filter(file => file < '0005').sort();
  const migrations = before.map(async file => {
    const text = await readFile(new URL(file, folder), 'utf8');
    const up = async (trx: Db) => void (await sql.raw(text).execute(trx));
    return [file.replace('.sql', ''), { up }] as const;
  });
  const provider = { getMigrations: async () => Object.fromEntries(await Promise.all(migrations)) };
  expect((await new Migrator({ db, provider }).migrateToLatest()).error).toBeUndefined();
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
