import { readdir } from 'node:fs/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { deleteExpiredAssertions } from '../../src/db/clients.ts';
import type { CollectionRow } from '../../src/db/collections.ts';
import { putGrant } from '../../src/db/grants.ts';
import { findPartner, type PartnerRow } from '../../src/db/partners.ts';
import { poolOf } from '../../src/db/pool.ts';
import { addRequestCounts } from '../../src/db/request-counts.ts';
import { deleteExpiredStatuses } from '../../src/db/statuses.ts';
import { deleteExpiredClientTokens } from '../../src/db/tokens.ts';
import { replay } from '../../src/taxii/replay.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openStream } from '../support/event-stream.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// PostgreSQL itself tells the plan of every statement that an operation sends, triggers' too, as it was carried out
// (auto_explain). None may read more than it needs, whatever tables hold beside that.

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Rows Removed by Filter'?: number;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

interface Explained {
  statement: string;
  nodes: PlanNode[];
}

let database: TestDatabase;
let hub: TestHub;
let partner: PartnerRow;
let collection: CollectionRow;
let token: string;
/** another partner, which has sent nothing */
let reader: PartnerRow;
let told: Explained[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const setup = await startTestHub({}, database);
  partner = await setup.addPartner();
  collection = await setup.addCollection();
  token = await setup.tokenFor(partner, `collection:*:read collection:*:write`);
  await putGrant(setup.hub.db, partner.id, collection.id, { can_read: true, can_write: true, tlp_ceiling: 1 });
  await fill();
  reader = required(await findPartner(database.db, 'p10'));
  await tellPlans();
  // Connections from now on tell.
  const db = database.open();
  poolOf(db).pool.on('connect', client => client.on('notice', ({ message }) => take(message ?? '')));
  hub = await startTestHub({}, { ...database, db });
  await hub.app.listen({ port: 0 });
}, 120_000);
afterAll(() => hub.close());

const dateOf = `timestamptz '2026-01-01' + n * interval '1 second'`;
const objectId = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Some thousands of rows in each table that grows. */
async function fill(): Promise<void> {
  const id = collection.id;
  for (const statement of [
    `insert into partner (slug, name, sector) select 'p' || n, 'P', 's' from generate_series(1, 900) n`,
    `insert into collection (id, alias, api_root, title) select gen_random_uuid(), 'c' || n, 'hub', 'C'
      from generate_series(1, 200) n`,
    `insert into access_grant (partner_id, collection_id, can_read, can_write)
      select partner.id, '${id}', true, false from partner where slug like 'p%' and slug not like 'p%-%'`,
    `insert into access_grant (partner_id, collection_id, can_read, can_write)
      select ${partner.id}, id, true, false from collection where alias like 'c___'`,
    `insert into object_version (collection_id, date_added, added_by, tlp, first_below, last_below, object_id, version,
        version_text, type, spec_version, object)
      select '${id}', ${dateOf}, ${partner.id}::bigint + n % 2, 1 + n % 2, 5, 5,
        'indicator--00000000-0000-4000-8000-' || lpad(n::text, 12, '0'), '2026-01-01T00:00:00', '2026-01-01T00:00:00Z',
        case when n % 50 = 0 then 'report' else 'indicator' end, '2.1', '{"n":' || n || '}'
      from generate_series(1, 10000) n`,
    `insert into deleted_version (collection_id, date_added, added_by, object_id, version, version_text)
      select '${id}', ${dateOf} - interval '1 year', ${partner.id}, 'indicator--' || n, '1', '1'
      from generate_series(1, 5000) n`,
    `insert into replay (partner_id, collection_id, date_added, object_id, version)
      select id, '${id}', ${dateOf}, 'indicator--' || n, '1' from generate_series(1, 20) n, partner`,
    `insert into receipt (collection_id, partner_id, handed_out_at, date_added_first, date_added_last, runs)
      select '${id}', ${partner.id} + 2 + n % 50, now(), ${dateOf}, ${dateOf}, '\\x${'00'.repeat(16)}'
      from generate_series(1, 10000) n`,
    `insert into audit (chain, seq, at, actor, token, request_id, action, subject, details, date_added_first,
        date_added_last, hash)
      select '${id}', n, now(), 'a', '', '', 'objects-added', 'a', '{}', ${dateOf}, ${dateOf}, '\\x00'
      from generate_series(1, 10000) n`,
    `insert into audit_chain (chain, seq, hash) values ('${id}', 10000, '\\x00')`,
    `insert into audit_chain (chain, seq, hash) select 'other-' || n, 0, '' from generate_series(1, 3000) n`,
    `insert into storage (collection_id, partner_id, bytes) select '${id}', id, 100 from partner`,
    `insert into status (id, api_root, partner_id, resource)
      select gen_random_uuid(), 'hub', ${partner.id}, '{}' from generate_series(1, 5000) n`,
    `insert into token (jti, partner_id, scope, issued_at, expires_at, kid)
      select gen_random_uuid(), ${partner.id}, '', now(), now() + interval '1 day', kid
      from signing_key, generate_series(1, 5000) n`,
    `insert into client_assertion (digest, expires_at)
      select sha256(n::text::bytea), now() + interval '1 day' from generate_series(1, 5000) n`,
    `insert into request_count (partner_id, minute, requests) select id, 1, 1 from partner on conflict do nothing`,
    `update collection set tlp_held = 6, date_added_last = '2026-02-01' where id = '${id}'`,
  ]) {
    await sql.raw(statement).execute(database.db);
  }
  await sql`vacuum analyze`.execute(database.db);
}

async function tellPlans(): Promise<void> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(database.db);
  const name = sql.ref(rows[0]?.name ?? '');
  await sql`alter database ${name} set session_preload_libraries = 'auto_explain'`.execute(database.db);
  for (const [setting, value] of Object.entries({
    log_min_duration: '0',
    log_analyze: 'on',
    log_timing: 'off',
    log_format: 'json',
    log_level: 'notice',
    log_nested_statements: 'on',
  })) {
    await sql`alter database ${name} set ${sql.raw(`auto_explain.${setting}`)} = ${sql.lit(value)}`.execute(
      database.db,
    );
  }
}

function take(message: string): void {
  if (!message.includes('plan:')) return;
  const { 'Query Text': statement, Plan: plan } = JSON.parse(message.slice(message.indexOf('{')));
  const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
  told.push({ statement, nodes: flatten(plan) });
}

/** What all statements of an operation are told to do beyond what they need. */
async function findWaste(run: () => Promise<unknown>): Promise<string[]> {
  told = [];
  await run();
  expect(told.length).toBeGreaterThan(0);
  return told.flatMap(({ statement, nodes }) =>
    nodes.flatMap(node => {
      const kept = node['Actual Rows'] * node['Actual Loops'];
      const removed = (node['Rows Removed by Filter'] ?? 0) * node['Actual Loops'];
      const isWhole = node['Node Type'] === 'Seq Scan' && !isSmall(node['Relation Name']);
      const isSorted = node['Node Type'] === 'Sort' && kept > sortedMax;
      const isInVain = removed > Math.max(kept, removedMax) && !isSmall(node['Relation Name']);
      if (!isWhole && !isSorted && !isInVain) return [];
      const where = node['Index Name'] ?? node['Relation Name'] ?? '';
      return [`${node['Node Type']} ${where}: ${kept} kept, ${removed} removed: ${statement.replace(/\s+/g, ' ')}`];
    }),
  );
}

// Of these there are as many as operators add, and no more.
const isSmall = (table: string | undefined) => ['hub', 'api_root', 'signing_key', 'collection'].includes(table ?? '');
const sortedMax = 1001;
const removedMax = 10;

/** The operations, by their operationIds; each is called with each of its ways to be asked. */
const operations = (): Record<string, () => Promise<unknown>> => {
  const root = '/hub/';
  const at = `${root}collections/${collection.id}/`;
  const one = `${at}objects/${objectId(5000)}/`;
  const get = async (url: string, expected = 200) => {
    const answer = await hub.get(token, url);
    expect({ url, status: answer.statusCode, body: answer.statusCode === expected ? '' : answer.body }).toEqual({
      url,
      status: expected,
      body: '',
    });
    return answer;
  };
  const filters = ['', 'match[type]=report', 'match[type]=tool', 'match[type]=report,indicator']
    .flatMap(type => ['', 'match[version]=all', 'match[version]=first'].map(version => `${type}&${version}`))
    .concat(
      `match[id]=${objectId(5)},${objectId(6)}`,
      'match[spec_version]=2.1',
      'match[version]=2026-02-01T00:00:00Z',
    );
  const getPages = async (path: string) => {
    for (const filter of filters) {
      for (const after of ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', '2026-01-30T00:00:00Z']) {
        await get(`${path}?${filter}&added_after=${after}&limit=100`);
      }
    }
  };
  return {
    getDiscovery: () => get('/taxii2/'),
    getApiRoot: () => get(root),
    getMe: () => get(`${root}me/`),
    getCollections: () => get(`${root}collections/`),
    getCollection: () => get(at),
    getObjects: () => getPages(`${at}objects/`),
    getManifest: () => getPages(`${at}manifest/`),
    getObject: () => get(one),
    getVersions: () => get(`${one}versions/`),
    getProvenance: () => get(`${one}provenance/`),
    getDeliveries: () => get(`${one}deliveries/`),
    addObjects: async () => {
      // The plans that a connection keeps are made after five for the values at hand.
      for (let round = 1; round <= 7; round += 1) {
        const objects = Array.from({ length: 500 }, () => indicator());
        expect((await hub.post(token, `${at}objects/`, { objects })).statusCode).toBe(202);
        const changed = objects.map(object => ({ ...object, modified: '2026-03-02T10:00:00.000Z' }));
        expect((await hub.post(token, `${at}objects/`, { objects: changed })).statusCode).toBe(202);
        expect((await hub.post(token, `${at}objects/`, { objects: [objects[0]] })).statusCode).toBe(202);
      }
    },
    getStatus: async () => {
      const { body } = await hub.post(token, `${at}objects/`, { objects: [indicator()] });
      await get(`${root}status/${JSON.parse(body).id}/`);
    },
    streamObjects: async () => {
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
      const stream = await openStream(hub.app, `${at}objects/stream/?added_after=2026-01-01T02:00:00Z`, headers);
      expect((await stream.events.next()).done).toBe(false);
      stream.close();
    },
    deleteObject: async () => {
      const object = indicator();
      await hub.post(token, `${at}objects/`, { objects: [object] });
      const answer = await hub.request(token, { method: 'DELETE', url: `${at}objects/${object.id}/` });
      expect(answer.statusCode).toBe(200);
    },
  };
};

/** What is done without being asked for, or on the command line. */
const others: Record<string, () => Promise<unknown>> = {
  'what has expired': async () => {
    await deleteExpiredStatuses(hub.hub.db, 24);
    await deleteExpiredAssertions(hub.hub.db);
    await deleteExpiredClientTokens(hub.hub.db);
  },
  'counts of requests': () => addRequestCounts(hub.hub.db, 2, [{ partnerId: partner.id, requests: 1 }]),
  'a replay': () =>
    replay(hub.hub.db, reader, collection.id, { since: '2026-01-01T02:00:00.000000Z', actor: operator }),
  'a grant': () => putGrant(hub.hub.db, partner.id, collection.id, { can_read: true, can_write: true, tlp_ceiling: 2 }),
};

it('every operation is among them', async () => {
  const files = await readdir(new URL('../../src/taxii/routes/', import.meta.url));
  const toOperation = (file: string) => file.replace('.ts', '').replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  expect(Object.keys(operations()).sort()).toEqual(
    files
      .map(toOperation)
      .filter(name => name !== 'routeSchema')
      .sort(),
  );
});

it('no statement of any operation reads more than it needs', async () => {
  for (const [name, run] of Object.entries({ ...operations(), ...others })) {
    expect({ name, waste: await findWaste(run) }).toEqual({ name, waste: [] });
  }
}, 60_000);
