import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { everything, type ObjectFilter, pageManifest, pageObjects } from '../../src/db/objects.ts';
import { type Db, sessionOptions } from '../../src/db/pool.ts';
import { pageDeliveries } from '../../src/db/receipts.ts';
import { knownSpellings, knownVersions } from '../../src/db/versions.ts';
import { tlpLevels } from '../../src/stix/tlp.ts';
import { toVersionSelector } from '../../src/taxii/filter.ts';
import { beginning, end } from '../../src/taxii/timestamp.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// That a page costs the same at any depth is a property of its plan: one range of one index, read in order, no sort,
// and hardly a row read in vain. Asserted on the very statements that the functions send.

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

/** 30,000 versions at two levels, of two partners: every tenth is an old one, one in fifty is a report. */
async function fill(id: string): Promise<void> {
  await client.query(`
    insert into object_version (collection_id, date_added, added_by, tlp, last_below, object_id, version,
      version_text, type, spec_version, object)
    select '${id}', timestamptz '2026-01-01' + n * interval '1 millisecond', 1 + n % 3 / 2, 1 + n % 4 / 2, case when n % 10 > 0 then 5 else 1 end,
      'indicator--' || n, n, n, case when n % 50 = 1 then 'report' else 'indicator' end, '2.1', repeat('x', 200)
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

const middle = '2026-01-01T00:00:15.000000Z';
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

  it.each<[string, ObjectFilter, string]>([
    ['the last versions', { versions: last }, 'object_version_last'],
    ['all versions', { versions: toVersionSelector(['all']) }, 'object_version_pkey'],
    ['the first versions', { versions: toVersionSelector(['first']) }, 'object_version_pkey'],
  ])('a page of %s is one range of an index, at the start and far inside', async (_, versions, index) => {
    for (const after of [beginning, middle]) {
      for (const page of [pageObjects, pageManifest]) {
        const plan = await explain(() => page(db, collection, everything, versions, { after, ...bounds }));
        expect(plan.map(node => node['Node Type'])).not.toContain('Sort');
        const scans = plan.filter(node => node['Node Type'].includes('Scan') && node['Index Name']);
        expect(new Set(scans.map(node => node['Index Name']))).toEqual(new Set([index]));
        // A range for each level, merged: of each it reads what the page takes, and one row more.
        expect(sum(scans, 'Actual Rows')).toBeLessThanOrEqual(bounds.objectsMax + 1 + scans.length);
        expect(sum(scans, 'Rows Removed by Filter')).toBe(0);
      }
    }
  });

  it('a page for a reader with a ceiling merges what it may see with what is its own', async () => {
    const reader = { partnerId: '2', ceiling: 1, replayedLast: null };
    for (const page of [pageObjects, pageManifest]) {
      const plan = await explain(() => page(db, collection, reader, { versions: last }, { after: middle, ...bounds }));
      expect(plan.map(node => node['Node Type'])).not.toContain('Sort');
      const scans = plan.filter(node => node['Index Name']);
      expect(new Set(scans.map(node => node['Index Name']))).toEqual(
        new Set(['object_version_last', 'object_version_own']),
      );
      expect(sum(scans, 'Actual Rows')).toBeLessThanOrEqual(bounds.objectsMax + 1 + scans.length);
      expect(sum(scans, 'Rows Removed by Filter')).toBeLessThan(bounds.objectsMax);
    }
  });

  it('a page of some types reads each type from its own range', async () => {
    const filter = { versions: last, types: ['report', 'indicator'] };
    const plan = await explain(() => pageObjects(db, collection, everything, filter, { after: middle, ...bounds }));
    const scans = plan.filter(node => node['Index Name']);
    expect(new Set(scans.map(node => node['Index Name']))).toEqual(new Set(['object_version_type']));
    expect(sum(scans, 'Rows Removed by Filter')).toBeLessThan(bounds.objectsMax);
    expect(plan.map(node => node['Node Type'])).not.toContain('Seq Scan');
  });

  it('objects asked for by id are found by id', async () => {
    const filter = { versions: last, ids: ['indicator--5', 'indicator--29999', 'indicator--none'] };
    const plan = await explain(() => pageObjects(db, collection, everything, filter, { after: beginning, ...bounds }));
    const scans = plan.filter(node => node['Index Name']);
    expect(scans.map(node => node['Index Name'])).toEqual(['object_version_key']);
    expect(scans[0]?.['Actual Rows']).toBeLessThanOrEqual(3);
  });

  it('other spellings of incoming ids are looked up by id', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => (n === 7 ? 'INDICATOR--700' : `indicator--${n * 100}`));
    const plan = await explain(() => db.transaction().execute(tx => knownSpellings(collection, ids).execute(tx)));
    const scans = plan.filter(node => node['Node Type'].includes('Scan') && node['Index Name']);
    expect(new Set(scans.map(node => node['Index Name']))).toEqual(
      new Set(['object_version_mixed_case', 'object_version_key']),
    );
    expect(plan.map(node => node['Node Type'])).not.toContain('Seq Scan');
  });

  it('what is known of incoming objects is looked up by id', async () => {
    const incoming = Array.from({ length: 200 }, (_, n) => ({ objectId: `indicator--${n * 100}`, version: '1' }));
    const plan = await explain(() => db.transaction().execute(tx => knownVersions(collection, incoming).execute(tx)));
    const scans = plan.filter(node => node['Index Name']);
    expect(scans.map(node => node['Index Name'])).toEqual(['object_version_key']);
    expect(plan.map(node => node['Node Type'])).not.toContain('Seq Scan');
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
