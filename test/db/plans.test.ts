import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { everything, pageManifest, pageObjects, type Reader } from '../../src/db/objects.ts';
import { inPipeline } from '../../src/db/pipeline.ts';
import { type Db, sessionOptions, type Tx } from '../../src/db/pool.ts';
import { pageDeliveries } from '../../src/db/receipts.ts';
import { knownSpellings, knownVersions } from '../../src/db/versions.ts';
import { tlpLevels } from '../../src/stix/tlp.ts';
import { toVersionSelector } from '../../src/taxii/filter.ts';
import { beginning, end } from '../../src/taxii/timestamp.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// That a page costs the same at any depth is a property of its plan: ranges of one index, read in order, no sort, and
// hardly a row read in vain. Asserted on the very statements that the functions send.

const analysed = '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10';
const newer = '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a11';
let database: TestDatabase;
let client: pg.Client;
let db: Db;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ ...database.connection, options: sessionOptions });
  await client.connect();
  await fill(analysed);
  await fill(randomUUID());
  db = database.db;
});

/**
 * 30,000 versions at two levels, of two partners: a tenth are old ones, a tenth are later ones, one in fifty is a report, and
 * the last 5,000 are later ones of the same type.
 */
async function fill(id: string): Promise<void> {
  await client.query(`
    insert into object_version (collection_id, date_added, added_by, tlp, last_below, first_below, object_id, version,
      version_text, type, spec_version, object)
    select '${id}', timestamptz '2026-01-01' + n * interval '1 millisecond', 1 + n % 3 / 2, 1 + n % 4 / 2,
      case when n % 10 > 0 then 5 else 1 end, case when n % 10 = 1 or n > 25000 then 1 else 5 end,
      'indicator--' || n, n, n, case when n % 50 = 2 and n < 25000 then 'report' else 'indicator' end, '2.1', repeat('x', 200)
    from generate_series(1, 30000) n`);
}

afterAll(async () => {
  await client.end();
  await database.drop();
});

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  'Rows Removed by Filter'?: number;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

interface Sent {
  text: string;
  values: unknown[];
  /** whether it keeps its plan, which is then made for whatever values there may be */
  isPrepared: boolean;
}

async function explain(run: () => Promise<unknown>): Promise<PlanNode[]> {
  const { text, values, isPrepared } = await spy(run);
  const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
  if (!isPrepared) {
    const { rows } = await client.query(`explain (analyze, format json) ${text}`, values);
    return flatten(rows[0]['QUERY PLAN'][0].Plan);
  }
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query(`prepare page as ${text}`);
  const literals = values.map(value => pg.escapeLiteral(Array.isArray(value) ? `{${value}}` : String(value)));
  const { rows } = await client.query(`explain (analyze, format json) execute page (${literals})`);
  await client.query('deallocate page');
  return flatten(rows[0]['QUERY PLAN'][0].Plan);
}

/** The first query that is sent. */
async function spy(run: () => Promise<unknown>): Promise<Sent> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  await run();
  const sent = (query.mock.calls as unknown[][]).map(([query, values]): Sent => {
    const {
      text,
      values: given,
      name,
    } = typeof query === 'string' ? { text: query, values, name: '' } : (query as pg.QueryConfig);
    return { text, values: [...((given as unknown[]) ?? [])], isPrepared: Boolean(name) };
  });
  query.mockRestore();
  return sent.find(one => /^[\s(]*(with|select)/.test(one.text)) as Sent;
}

function sum(nodes: PlanNode[], figure: 'Actual Rows' | 'Rows Removed by Filter'): number {
  return nodes.reduce((total, node) => total + (node[figure] ?? 0) * node['Actual Loops'], 0);
}

/** @returns the scans of object_version */
function expectRanges(plan: PlanNode[], indexes: string[]): PlanNode[] {
  const kinds = plan.map(node => node['Node Type']);
  // Of versions of an instant there are few, so that they are sorted.
  if (!indexes.includes('object_version_version')) expect(kinds).not.toContain('Sort');
  for (const kind of ['Seq Scan', 'Bitmap Heap Scan', 'Gather Merge']) expect(kinds).not.toContain(kind);
  const scans = plan.filter(node => node['Relation Name'] === 'object_version');
  const used = new Set(scans.map(node => node['Index Name']));
  used.delete('object_version_range_own');
  expect([...used].sort()).toEqual(indexes.sort());
  // What is the reader's own and above its ceiling is found by partner alone, and then checked for its type.
  const common = scans.filter(node => node['Index Name'] !== 'object_version_range_own');
  expect(sum(common, 'Rows Removed by Filter')).toBeLessThanOrEqual(sum(common, 'Actual Rows'));
  return scans;
}

const middle = '2026-01-01T00:00:15.000000Z';
const late = '2026-01-01T00:00:29.980000Z';
const bounds = { until: end, levels: tlpLevels, objectsMax: 100, bytesMax: 1e6 };
const last = toVersionSelector(['last']);

// A new collection grows faster than PostgreSQL analyses it, so that the plans must be right without statistics too.
describe.each([
  ['before the table was analysed', analysed],
  ['after', analysed],
  ['in a collection that is newer than that', newer],
])('%s', (when, collection) => {
  beforeAll(async () => {
    if (when === 'after') await client.query('vacuum analyze object_version');
    if (collection === newer) await fill(newer);
  });

  const red: Reader = { ...everything, partnerId: '3' };
  const green: Reader = { partnerId: '2', ceiling: 1, replayedLast: null };
  const versions: Record<string, string[]> = {
    last: ['last'],
    all: ['all'],
    first: ['first'],
    'first and last': ['first', 'last'],
  };
  const types = { 'one type': ['indicator'], 'a rare type': ['report'], 'an absent type': ['tool'] };
  const some = { 'some types': ['report', 'indicator', 'tool'] };

  const cases = Object.entries(versions).flatMap(([version, selected]) =>
    Object.entries({ 'any type': undefined, ...types, ...some }).map(([type, types]) => ({
      name: `${version}, ${type}`,
      filter: { versions: toVersionSelector(selected), ...(types && { types }) },
    })),
  );

  it.each(cases)('a page of versions is merged from ranges that hold little else: $name', async ({ filter }) => {
    for (const reader of [red, green]) {
      for (const after of [beginning, middle, late]) {
        const plan = await explain(() => pageObjects(db, collection, reader, filter, { after, ...bounds }));
        const scans = expectRanges(plan, [filter.types ? 'object_version_range_type' : 'object_version_range']);
        // Of each it reads what the page takes, and one row more.
        expect(sum(scans, 'Actual Rows')).toBeLessThanOrEqual(bounds.objectsMax + 1 + scans.length);
      }
    }
  });

  it('a manifest is read from the same ranges', async () => {
    const filter = { versions: last };
    const plan = await explain(() => pageManifest(db, collection, red, filter, { after: middle, ...bounds }));
    expectRanges(plan, ['object_version_range']);
  });

  it.each([
    ['a version', ['1970-01-01T00:00:00Z'], ['object_version_version']],
    ['a version or the last one', ['last', '1970-01-01T00:00:00Z'], ['object_version_version', 'object_version_range']],
  ])('pages of %s by its instant are ranges too', async (_, selected, indexes) => {
    // Versions are numbers here.
    const filter = { versions: { ...toVersionSelector(selected), instants: ['15100', '29000', 'none'] } };
    for (const reader of [red, green]) {
      const plan = await explain(() => pageObjects(db, collection, reader, filter, { after: middle, ...bounds }));
      const scans = expectRanges(plan, indexes);
      const ranges = scans.filter(node => node['Index Name'] === 'object_version_range');
      expect(sum(scans, 'Actual Rows')).toBeLessThanOrEqual(ranges.length * (bounds.objectsMax + 1) + 3);
    }
  });

  it('hundreds of types and instants are looked up one by one', async () => {
    const names = Array.from({ length: 500 }, (_, n) => `x-${n}`);
    const filters = [
      { index: 'object_version_range_type', filter: { versions: last, types: [...names, 'report'] } },
      {
        index: 'object_version_version',
        filter: { versions: { ...toVersionSelector([]), instants: [...names, '2'] } },
      },
    ];
    for (const { index, filter } of filters) {
      const plan = await explain(() => pageObjects(db, collection, red, filter, { after: beginning, ...bounds }));
      const scans = plan.filter(node => node['Index Name']);
      expect(scans.map(node => node['Index Name'])).toEqual([index]);
      // A page of each range is sorted.
      expect(sum(scans, 'Actual Rows')).toBeLessThanOrEqual(tlpLevels.length * (bounds.objectsMax + 1));
      expect(sum(scans, 'Rows Removed by Filter')).toBe(0);
    }
  });

  it('no object has another spec version, which takes no statement to know', async () => {
    const filter = { versions: last, specVersions: ['2.0'] };
    expect(await pageManifest(db, collection, red, filter, { after: beginning, ...bounds })).toMatchObject({
      rows: [],
    });
    const all = { versions: last, specVersions: ['2.0', '2.1'] };
    const plan = await explain(() => pageObjects(db, collection, red, all, { after: beginning, ...bounds }));
    expectRanges(plan, ['object_version_range']);
  });

  it('objects asked for by id are found by id', async () => {
    const filter = { versions: last, ids: ['indicator--5', 'indicator--29999', 'indicator--none'] };
    const plan = await explain(() => pageObjects(db, collection, everything, filter, { after: beginning, ...bounds }));
    const scans = plan.filter(node => node['Index Name']);
    expect(scans.map(node => node['Index Name'])).toEqual(['object_version_key']);
    expect(scans[0]?.['Actual Rows']).toBeLessThanOrEqual(3);
  });

  describe.each([
    ['planned for them', (run: (tx: Tx) => Promise<unknown>) => db.transaction().execute(run)],
    ['by a plan that is kept', (run: (tx: Tx) => Promise<unknown>) => inPipeline(db, run)],
  ])('%s', (_, inTransaction) => {
    it('other spellings of incoming ids are looked up by id', async () => {
      const ids = Array.from({ length: 200 }, (_, n) => (n === 7 ? 'INDICATOR--700' : `indicator--${n * 100}`));
      const plan = await explain(() => inTransaction(tx => knownSpellings(collection, ids).execute(tx)));
      const scans = plan.filter(node => node['Node Type'].includes('Scan') && node['Index Name']);
      expect(new Set(scans.map(node => node['Index Name']))).toEqual(
        new Set(['object_version_mixed_case', 'object_version_key']),
      );
      expect(plan.map(node => node['Node Type'])).not.toContain('Seq Scan');
      // None is held, so that one look is enough.
      expect(sum(scans, 'Actual Rows')).toBe(1);
      const spelled = scans.filter(node => node['Index Name'] === 'object_version_mixed_case');
      expect(spelled.map(node => node['Actual Loops']).sort()).toEqual([0, 1]);
    });

    it('what is known of incoming objects is looked up by id', async () => {
      const incoming = Array.from({ length: 200 }, (_, n) => ({ objectId: `indicator--${n * 100}`, version: '1' }));
      const plan = await explain(() => inTransaction(tx => knownVersions(collection, incoming).execute(tx)));
      const scans = plan.filter(node => node['Index Name']);
      expect(scans.map(node => node['Index Name'])).toEqual(['object_version_key']);
      expect(plan.map(node => node['Node Type'])).not.toContain('Seq Scan');
    });
  });

  it('who has been handed an object is looked up by its date, among the receipts of all collections', async () => {
    await client.query(`
      insert into receipt (collection_id, partner_id, handed_out_at, date_added_first, date_added_last, runs)
      select '${collection}', n % 50, now(), at, at + interval '100 milliseconds', '\\x${'00'.repeat(16)}'
      from generate_series(1, 20000) n
        cross join lateral (select timestamptz '2026-01-01' + n * interval '1 millisecond' as at) dates`);
    const bounds = { after: beginning, objectsMax: 100 };
    const plan = await explain(() => pageDeliveries(db, collection, { objectId: 'indicator--5000' }, bounds));
    const scans = plan.filter(node => node['Relation Name'] === 'receipt' || node['Index Name']?.startsWith('receipt'));
    expect(scans.map(node => node['Index Name'])).toEqual(['receipt_dates']);
    // Those of the 100 milliseconds before it, of up to three fillings.
    expect(sum(scans, 'Actual Rows') + sum(scans, 'Rows Removed by Filter')).toBeLessThan(500);
  });
});
