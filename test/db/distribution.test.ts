import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import { listCollectionsOf } from '../../src/db/provenance.ts';
import { exportBundle } from '../../src/taxii/export.ts';
import { replay } from '../../src/taxii/replay.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator, revise } from '../support/stix.ts';

// What it takes to distribute the tables that grow with the objects by their collection (docs/scaling.md, "Citus"): every
// unique key of theirs and every statement that names them carries it.

const distributed = ['object_version', 'deleted_version', 'replay', 'receipt'];
const tableIn = new RegExp(`\\b(from|join|into|update)\\s+"?(${distributed.join('|')})\\b`, 'g');
const red = 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

interface Sent {
  text: string;
  values: unknown[];
}

/** The statements about these tables that are sent meanwhile. */
async function spy(run: () => Promise<unknown>): Promise<Sent[]> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await run();
    return (query.mock.calls as unknown[][])
      .map(([query, values]) => (typeof query === 'string' ? { text: query, values } : (query as Partial<Sent>)))
      .map(({ text = '', values }) => ({ text, values: [...((values as unknown[] | undefined) ?? [])] }))
      .filter(({ text }) => countOf(text, tableIn) > 0);
  } finally {
    query.mockRestore();
  }
}

const countOf = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

/** Whether a statement names the collection for each of the tables in it, and gives it a value that is this one. */
const carries = ({ text, values }: Sent, collectionId: string) =>
  countOf(text, /\bcollection_id\b/g) >= countOf(text, tableIn) && JSON.stringify(values).includes(collectionId);

it('every unique key carries the collection, and none refers to another table', async () => {
  const { db } = hub.database;
  const { rows: keys } = await sql<{ table: string; columns: string }>`
    select indrelid::regclass::text as table, pg_get_indexdef(indexrelid) as columns from pg_index
    where indrelid = any(${distributed}::regclass[]) and indisunique`.execute(db);
  expect(new Set(keys.map(({ table }) => table))).toEqual(new Set(distributed));
  for (const { columns } of keys) expect(columns).toMatch(/\(.*\bcollection_id\b.*\)/);
  const { rows: foreign } = await sql`
    select from pg_constraint where contype = 'f' and conrelid = any(${distributed}::regclass[])`.execute(db);
  expect(foreign).toEqual([]);
  const { rows: triggers } = await sql`
    select from pg_trigger where not tgisinternal and tgrelid = any(${distributed}::regclass[])`.execute(db);
  expect(triggers).toEqual([]);
});

describe('every statement about them carries the collection', () => {
  it('whatever the operation', async () => {
    const [collection, other] = [await hub.addCollection(), await hub.addCollection()];
    const [sender, reader] = [await hub.addPartner(), await hub.addPartner()];
    const scope = ['read', 'write'].map(right => `collection:${collection.alias}:${right}`).join(' ');
    const [writing, reading] = [await hub.tokenFor(sender, scope), await hub.tokenFor(reader, scope)];
    const path = `/hub/collections/${collection.alias}`;
    const object = indicator({ object_marking_refs: [red] });
    const objects = [object, revise(object, '2026-03-02T10:00:00.000Z'), indicator()];
    const setCeiling = (tlp_ceiling: number) =>
      changeGrant(hub.hub.db, reader, collection, operator, () => ({ can_read: true, tlp_ceiling }));
    await setCeiling(1);
    const get =
      (url: string, token = reading) =>
      async () => {
        const { statusCode } = await hub.get(token, `${path}${url}`);
        expect(statusCode).toBeLessThan(300);
      };
    const { db } = hub.hub;
    const operations: Record<string, () => Promise<unknown>> = {
      post: () => hub.post(writing, `${path}/objects/`, { objects }),
      'post again': () => hub.post(writing, `${path}/objects/`, { objects }),
      raise: () => setCeiling(4),
      replay: () => replay(db, reader, collection.id, { actor: operator }),
      page: get('/objects/'),
      'page again': get('/objects/?limit=1'),
      'page of types': get('/objects/?match[type]=indicator&match[version]=all'),
      'page of ids': get(`/objects/?match[id]=${object.id}&match[version]=first`),
      'page of an instant': get(`/objects/?match[version]=${object.modified}&match[spec_version]=2.1`),
      manifest: get('/manifest/'),
      object: get(`/objects/${object.id}/`),
      versions: get(`/objects/${object.id}/versions/`),
      provenance: get(`/objects/${object.id}/provenance/`, writing),
      deliveries: get(`/objects/${object.id}/deliveries/`, writing),
      export: async () => {
        for await (const _ of exportBundle(db, collection.id, `bundle--${collection.id}`));
      },
      delete: () => hub.request(writing, { method: 'DELETE', url: `${path}/objects/${object.id}/` }),
      revoke: () => hub.revokeGrant(reader, collection),
    };
    for (const [name, run] of Object.entries(operations)) {
      const sent = await spy(run);
      expect({ name, sent: sent.length > 0 }).toEqual({ name, sent: name !== 'raise' });
      expect({ name, without: sent.filter(one => !carries(one, collection.id)) }).toEqual({ name, without: [] });
      // And not another one's.
      expect(sent.filter(one => carries(one, other.id))).toEqual([]);
    }
  });

  it('but for looking for the collections that hold an object, on the command line', async () => {
    const sent = await spy(() => listCollectionsOf(hub.hub.db, indicator().id));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.values).toHaveLength(2);
  });
});
