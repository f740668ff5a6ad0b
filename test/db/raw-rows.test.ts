import { readFile } from 'node:fs/promises';
import { type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asUnavailable, type Db, openDatabase, poolOf } from '../../src/db/pool.ts';
import { readTexts, type TextBounds } from '../../src/db/raw-rows.ts';
import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type RelayOptions, startRelay } from '../support/relay.ts';

let database: TestDatabase;
let authority: Authority | undefined;
const lost: Error[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  authority = hasOpenssl ? await createAuthority() : undefined;
});
afterAll(async () => {
  await database.drop();
  await authority?.remove();
});

const bounds: TextBounds = { rowsMax: 2000, bytesMax: 1e8, separator: ',', isPlanKept: true };
const date = sql`timestamptz '2026-03-01 12:00:00.000100+00' + n * interval '1 microsecond'`;
const day = sql`timestamptz '2026-01-01 00:00:00+00'`;

/** Texts of 1 to 3,000 letters, some of which take several bytes. */
function selectTexts(count: number, text = sql`repeat('ä' || n, 1 + n % 600)`): RawBuilder<unknown> {
  return sql`select ${date}, ${day} + n * interval '1 microsecond', ${text} from (
    select generate_series(1, ${count}::integer) as n
  ) one`;
}
const textOf = (n: number) => `ä${n}`.repeat(1 + (n % 600));
const textsUpTo = (count: number) => Array.from({ length: count }, (_, n) => textOf(n + 1)).join(',');
const readAll = async (db: Db, statement: RawBuilder<unknown>, changed: Partial<TextBounds> = {}) => {
  const { pieces, ...rest } = await readTexts(db, statement, { ...bounds, ...changed });
  return { ...rest, text: Buffer.concat(pieces).toString() };
};
const open = (connection: TestDatabase['connection'], connectionsMax = 1) =>
  openDatabase({ connection, connectionsMax, onError: error => void lost.push(error) });
const dayMicros = Date.UTC(2026, 0, 1) * 1000;

describe.each([
  ['as PostgreSQL listens', undefined],
  ['over TCP', {}],
  ['over TCP, cut anywhere', { cuts: [3, 7001, 1, 29, 40, 13] }],
  ['over TLS', { withTls: true }],
])('%s', (_, way: (RelayOptions & { withTls?: boolean }) | undefined) => {
  it.skipIf(way?.withTls && !hasOpenssl)('texts, dates and what else is asked come as they are', async () => {
    const certificate = way?.withTls ? await authority?.issue('db') : undefined;
    const relay = way && (await startRelay(database.connection, { ...way, certificate }));
    const db = open(relay?.connection ?? database.connection);
    for (const count of [1500, 0, 1, 1500]) {
      expect(await readAll(db, selectTexts(count))).toEqual({
        text: textsUpTo(count),
        count,
        bytes: Buffer.byteLength(textsUpTo(count)),
        dateFirst: count ? '2026-03-01T12:00:00.000101Z' : undefined,
        dateLast: count ? `2026-03-01T12:00:00.${String(100 + count).padStart(6, '0')}Z` : undefined,
        dates: count ? [{ first: dayMicros + 1, last: dayMicros + count }] : [],
        more: false,
      });
      const { rows } = await sql`select n::integer, 'x' || n as text from generate_series(1, 3) n`.execute(db);
      expect(rows).toEqual([1, 2, 3].map(n => ({ n, text: `x${n}` })));
    }
    await db.destroy();
    await relay?.close();
  });
});

describe('a page ends', () => {
  it('after so many rows', async () => {
    expect(await readAll(database.db, selectTexts(12), { rowsMax: 11 })).toMatchObject({
      text: textsUpTo(11),
      count: 11,
      more: true,
      dateLast: '2026-03-01T12:00:00.000111Z',
    });
    expect(await readAll(database.db, selectTexts(11), { rowsMax: 11 })).toMatchObject({ count: 11, more: false });
  });

  it('before the text that would pass so many bytes, but not before the first one', async () => {
    const ten = sql`repeat('x', 10)`;
    const page = (bytesMax: number) => readAll(database.db, selectTexts(100, ten), { bytesMax });
    expect(await page(39)).toMatchObject({ count: 3, more: true, dateLast: '2026-03-01T12:00:00.000103Z' });
    expect(await page(40)).toMatchObject({ count: 4, more: true });
    expect(await page(9)).toMatchObject({ count: 1, more: true, text: 'xxxxxxxxxx' });
    expect(await page(1000)).toMatchObject({ count: 100, more: false });
  });

  it('on a connection that is good for more, where little is beyond it', async () => {
    const db = open(database.connection);
    const readPid = async () => (await sql`select pg_backend_pid() as pid`.execute(db)).rows;
    const pid = await readPid();
    expect(await readAll(db, selectTexts(100, sql`repeat('x', 10000)`), { bytesMax: 100_000 })).toMatchObject({
      text: 'x'.repeat(10_000).concat(',').repeat(10).slice(0, -1),
      count: 10,
      more: true,
    });
    expect(await readAll(db, selectTexts(7))).toMatchObject({ text: textsUpTo(7) });
    expect(await readPid()).toEqual(pid);
    await db.destroy();
  });

  it('without reading all that is beyond it: PostgreSQL stops, and the next page is read', async () => {
    const db = open(database.connection);
    lost.length = 0;
    const endless = selectTexts(2_000_000_000, sql`repeat('x', 10000)`);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await readAll(db, endless, { bytesMax: 100_000 })).toMatchObject({ count: 10, more: true });
    }
    expect(await readAll(db, selectTexts(7))).toMatchObject({ text: textsUpTo(7) });
    await db.destroy();
    expect(lost).toEqual([]);
    const isRunning = () =>
      sql`select 1 from pg_stat_activity where query like '%10000)%' and pid <> pg_backend_pid()`.execute(database.db);
    await expect.poll(async () => (await isRunning()).rows).toEqual([]);
  });
});

describe('what goes wrong in the midst of rows', () => {
  it('an error of the statement is told, and the connection is good for more', async () => {
    const db = open(database.connection);
    const failing = selectTexts(2000, sql`(1 / (1500 - n))::text || repeat('x', 1000)`);
    await expect(readTexts(db, failing, bounds)).rejects.toMatchObject({ code: '22012' });
    const { rows } = await sql`select 1 as one`.execute(db);
    expect(rows).toEqual([{ one: 1 }]);
    expect(await readAll(db, selectTexts(300))).toMatchObject({ text: textsUpTo(300) });
    await db.destroy();
  });

  it('a statement that takes too long counts as an overload', async () => {
    const db = open(database.connection);
    await sql`set statement_timeout = 200`.execute(db);
    const slow = selectTexts(100, sql`case when n > 50 then pg_sleep(10)::text else repeat('x', 10000) end`);
    const error = await readTexts(db, slow, bounds).catch(error => error);
    expect(asUnavailable(error)).toMatchObject({ code: 'overloaded' });
    expect(await readAll(db, selectTexts(300))).toMatchObject({ text: textsUpTo(300) });
    await db.destroy();
  });

  it('a connection that is lost is told, and another one is taken', async () => {
    const relay = await startRelay(database.connection);
    const db = open(relay.connection);
    const slow = selectTexts(100, sql`case when n > 50 then pg_sleep(10)::text else repeat('x', 10000) end`);
    const reading = readTexts(db, slow, bounds).catch(error => error);
    await expect.poll(() => isAsleep()).toBe(true);
    relay.breakAll();
    expect(asUnavailable(await reading)).toMatchObject({ code: 'database-unavailable' });
    expect(await readAll(db, selectTexts(300))).toMatchObject({ text: textsUpTo(300) });
    await db.destroy();
    await relay.close();
  });

  async function isAsleep(): Promise<boolean> {
    const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event = 'PgSleep'`.execute(database.db);
    return rows.length > 0;
  }
});

it('pages, statements and transactions share a few connections, each with its own rows', async () => {
  const db = open(database.connection, 2);
  const one = async (n: number) => {
    if (n % 3 === 0) expect(await readAll(db, selectTexts(n))).toMatchObject({ text: textsUpTo(n) });
    else {
      const select = sql<{ texts: string }>`
        select string_agg('ä' || n, ',') as texts from generate_series(1, ${n}::integer) n`;
      const { rows } = await (n % 3 === 1
        ? select.execute(db)
        : db.transaction().execute(async tx => {
            await sql`select pg_notify('somebody', 'x')`.execute(tx);
            return select.execute(tx);
          }));
      expect(rows[0]?.texts).toBe(Array.from({ length: n }, (_, i) => `ä${i + 1}`).join(','));
    }
  };
  await Promise.all(Array.from({ length: 90 }, (_, n) => one(n + 1)));
  await db.destroy();
});

it('a plan is kept where it may be, one for each form', async () => {
  const db = open(database.connection);
  for (let n = 0; n < 20; n += 1) {
    const alike = sql`select ${date}, ${day}, ${String(n)}::text from generate_series(1, 1) n`;
    const other = sql`select ${date}, ${day}, ${sql.lit(`text ${n % 4}`)} from generate_series(1, 1) n`;
    const passing = sql`select ${date}, ${day}, ${sql.lit(`text ${n}`)} from generate_series(1, 1) n`;
    expect(await readAll(db, alike)).toMatchObject({ text: String(n) });
    expect(await readAll(db, other)).toMatchObject({ text: `text ${n % 4}` });
    expect(await readAll(db, passing, { isPlanKept: false })).toMatchObject({ text: `text ${n}` });
  }
  const { rows } = await sql`select name from pg_prepared_statements`.execute(db);
  expect(rows).toHaveLength(5);
  await db.destroy();
});

it('pg has what RowClient changes in it, and is pinned', async () => {
  const client = new pg.Client() as unknown as { connection: { attachListeners: unknown } };
  expect(client.connection.attachListeners).toBeInstanceOf(Function);
  const { dependencies } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(dependencies.pg).toMatch(/^\d+\.\d+\.\d+$/);
});

it('a transaction has no pages: they are read over connections of their own', async () => {
  await database.db.transaction().execute(async tx => {
    expect(() => poolOf(tx)).toThrow('not a database');
  });
});
