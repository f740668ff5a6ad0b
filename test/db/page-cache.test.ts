import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { everything, type ObjectFilter, type ObjectPage, type PageBounds, type Reader } from '../../src/db/objects.ts';
import type { KnownCollection, Replicas } from '../../src/db/replicas.ts';
import type { TlpLevel } from '../../src/stix/tlp.ts';
import { toVersionSelector } from '../../src/taxii/filter.ts';
import { cachePages, type Pace, type ReadObjects } from '../../src/taxii/page-cache.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// What is stored is changed here behind the back of the revisions, so that a page which was kept tells itself from one that
// is read now.

let database: TestDatabase;
let collection: KnownCollection;
let watch: { generation: number };
let read: ReadObjects;
const primary: Pick<Replicas, 'read'> = { read: (_collection, _bounds, fetch) => fetch(database.db) };

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const date = (n: number) => `2026-03-01T00:00:0${n}.000000Z`;
const filter: ObjectFilter = { versions: toVersionSelector(['all']) };
const bounds: PageBounds = { after: date(0), until: date(4), levels: [0], objectsMax: 2, bytesMax: 1e6 };
const reader: Reader = { partnerId: '7', ceiling: 2, replayedLast: null };

beforeEach(async () => {
  collection = { id: randomUUID(), revision: '9', past_revision: '5', grants_revision: '0' };
  watch = { generation: 1 };
  read = cachePages(primary, watch, 1e6);
  await insert(collection.id, [1, 2, 3, 4]);
});

async function insert(id: string, days: number[], { tlp = 0, type = 'indicator' } = {}): Promise<void> {
  for (const n of days) {
    await sql`
      insert into object_version (collection_id, date_added, added_by, tlp, object_id, version, version_text, type,
        spec_version, object)
      values (${id}, ${date(n)}, 1, ${tlp}, ${`${type}--${n}`}, '1', '1', ${type}, '2.1', ${`"${n}"`})`.execute(
      database.db,
    );
  }
}

const rewrite = () =>
  sql`update object_version set object = '"new"' where collection_id = ${collection.id}`.execute(database.db);

interface Question {
  collection?: Partial<typeof collection>;
  reader?: Partial<Reader>;
  filter?: Partial<ObjectFilter>;
  bounds?: Partial<PageBounds>;
}

async function ask(question: Question = {}): Promise<unknown[]> {
  const page = await read(
    {
      collection: { ...collection, ...question.collection },
      reader: { ...reader, ...question.reader },
      generation: watch.generation,
    },
    { ...filter, ...question.filter },
    { ...bounds, ...question.bounds },
  );
  return JSON.parse(`[${Buffer.concat(page.pieces)}]`);
}

/** Asks one question, and another one after everything was rewritten. @returns whether the second came from what was kept */
async function isKept(first: Question, second: Question): Promise<boolean> {
  expect(await ask(first)).not.toContain('new');
  await rewrite();
  const again = await ask(second);
  expect(again.length).toBeGreaterThan(0);
  return !again.includes('new');
}

describe('a page is kept', () => {
  it('for the same question', async () => {
    expect(await isKept({}, {})).toBe(true);
  });

  it('for other partners with the same ceiling, where nothing lies above it', async () => {
    expect(await isKept({}, { reader: { partnerId: '8' } })).toBe(true);
  });

  it('for who was replayed something that lies before the page', async () => {
    expect(await isKept({}, { reader: { replayedLast: date(0) } })).toBe(true);
  });

  it('where it is the last one and nothing has been added since', async () => {
    expect(await isKept({ bounds: { after: date(3) } }, { bounds: { after: date(3) } })).toBe(true);
  });

  it('where it is full and objects have been added since', async () => {
    expect(await isKept({}, { bounds: { until: date(6) } })).toBe(true);
  });
});

describe('a page is read anew', () => {
  it.each<[string, Question]>([
    ['when something that was there has changed', { collection: { past_revision: '6' } }],
    ['for another ceiling', { reader: { ceiling: 3 } }],
    ['for who was replayed something since', { reader: { replayedLast: date(1) } }],
    ['for another filter', { filter: { types: ['indicator'] } }],
    ['for other versions', { filter: { versions: toVersionSelector(['first']) } }],
    ['from another date on', { bounds: { after: date(1) } }],
    ['for another limit', { bounds: { objectsMax: 1 } }],
    ['for other bytes', { bounds: { bytesMax: 1e5 } }],
    ['when there are other levels', { bounds: { levels: [0, 1] } }],
    ['by who knows of less', { bounds: { until: date(3) } }],
  ])('%s', async (_, question) => {
    expect(await isKept({}, question)).toBe(false);
  });

  it('when what was known was forgotten, by who knew it before too', async () => {
    expect(await ask()).toEqual(['1', '2']);
    await rewrite();
    watch.generation += 1;
    const before = await read({ collection, reader, generation: watch.generation - 1 }, filter, bounds);
    expect(Buffer.concat(before.pieces).toString()).toBe('"new","new"');
    expect(await ask()).toEqual(['new', 'new']);
  });

  it('in another collection', async () => {
    const other = randomUUID();
    await insert(other, [1, 2, 3]);
    await ask();
    await sql`update object_version set object = '"new"' where collection_id = ${other}`.execute(database.db);
    expect(await ask({ collection: { id: other } })).toEqual(['new', 'new']);
  });

  it('for another partner, where something lies above the ceiling', async () => {
    const levels: TlpLevel[] = [0, 4];
    expect(await isKept({ bounds: { levels } }, { bounds: { levels }, reader: { partnerId: '8' } })).toBe(false);
  });

  it('for another partner to whom something was replayed', async () => {
    const replayedLast = date(3);
    const other = { reader: { replayedLast, partnerId: '8' } };
    expect(await isKept({ reader: { replayedLast } }, other)).toBe(false);
  });

  it('where it is the last one and something was added since', async () => {
    const after = date(3);
    expect(await isKept({ bounds: { after } }, { bounds: { after, until: date(5) } })).toBe(false);
  });
});

it('pages beyond the bytes are dropped, the longest unused first, and none is kept where there are to be none', async () => {
  read = cachePages(primary, watch, 0);
  expect(await isKept({}, {})).toBe(false);

  read = cachePages(primary, watch, 50_000);
  await sql`update object_version set object = ${JSON.stringify('x'.repeat(1000))}`.execute(database.db);
  const after = (micros: number) => ({
    bounds: { after: date(0).replace('000Z', `${String(micros).padStart(3, '0')}Z`) },
  });
  for (let n = 0; n < 100; n += 1) await ask(after(n));
  await rewrite();
  expect(await ask(after(99))).not.toContain('new');
  expect(await ask(after(0))).toContain('new');
});

it('a page that is larger than an eighth of them is not kept', async () => {
  read = cachePages(primary, watch, 50_000);
  await sql`update object_version set object = ${JSON.stringify('x'.repeat(10_000))}`.execute(database.db);
  await ask();
  await rewrite();
  expect(await ask()).toContain('new');
});

it('those who ask the same at the same time share one statement, and an error is not kept', async () => {
  const access = { collection, reader, generation: watch.generation };
  const [one, other] = await Promise.all([read(access, filter, bounds), read(access, filter, bounds)]);
  expect(one).toBe(other);
  const broken = { ...bounds, until: 'no date' };
  for (let turn = 0; turn < 2; turn += 1) {
    await expect(read({ ...access, reader: everything }, filter, broken)).rejects.toMatchObject({ code: '22007' });
  }
  expect(await ask({ reader: everything })).toEqual(['1', '2']);
});

describe('what is read in turn', () => {
  let begun: ((page: ObjectPage) => void)[];
  const page = { pieces: [], count: 0, bytes: 0, dates: [], dateFirst: undefined, dateLast: undefined, more: true };
  const readIn = (pace: Pace, objectsMax: number) =>
    read({ collection, reader, generation: watch.generation }, filter, { ...bounds, objectsMax }, pace);

  beforeEach(() => {
    begun = [];
    const held = { read: () => new Promise(resolve => begun.push(resolve)) } as unknown as Pick<Replicas, 'read'>;
    read = cachePages(held, watch, 1e6);
  });

  it('is four pages at once, and takes no turn from others', async () => {
    const reading = [1, 2, 3, 4, 5, 6].map(limit => readIn('in turn', limit));
    await expect.poll(() => begun.length).toBe(4);
    reading.push(readIn('now', 6), readIn('now', 7));
    expect(begun).toHaveLength(6);
    begun[0]?.(page);
    await reading[0];
    await expect.poll(() => begun.length).toBe(7);
    // The sixth is the one that was read meanwhile.
    for (const end of begun) end(page);
    await Promise.all(reading);
    expect(begun).toHaveLength(7);
  });

  it('is one page for all who ask the same, and one that is kept or under way waits for no turn', async () => {
    const kept = readIn('now', 9);
    begun[0]?.(page);
    await kept;
    const underWay = readIn('now', 8);
    for (const limit of [1, 2, 3, 4]) readIn('in turn', limit);
    const waiting = Array.from({ length: 1000 }, () => readIn('in turn', 5));
    expect(await readIn('in turn', 9)).toBe(page);
    const same = readIn('in turn', 8);
    expect(begun).toHaveLength(6);
    begun[1]?.(page);
    expect(await same).toBe(await underWay);
    begun[2]?.(page);
    await expect.poll(() => begun.length).toBe(7);
    begun[6]?.(page);
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    expect(begun).toHaveLength(7);
  });

  it('goes on after one that failed', async () => {
    read = cachePages({ read: () => Promise.reject(new Error('away')) }, watch, 1e6, 1);
    const reading = await Promise.allSettled([1, 2, 3].map(limit => readIn('in turn', limit)));
    expect(reading.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
