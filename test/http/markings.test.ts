import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { findCollection } from '../../src/db/collections.ts';
import { putGrant } from '../../src/db/grants.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { importObjects } from '../../src/taxii/import.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

const red = 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed';
const green = 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb';
const clear = 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487';
const own = 'marking-definition--93023361-d3cf-4666-bca2-8c017948dc3d';

let hub: TestHub;
let sender: string;
let reader: string;
let readingPartner: PartnerRow;

const pathOf = (alias: string) => `/hub/collections/${alias}/objects/`;

beforeAll(async () => {
  hub = await startTestHub();
  const green = await hub.addCollection({ alias: 'up-to-green', tlp_default: 1, tlp_max: 1 });
  const open = await hub.addCollection({ alias: 'open' });
  await hub.addCollection({ alias: 'strict', validation: 'strict' });
  sender = await hub.tokenFor(await hub.addPartner('sender'), 'collection:*:read collection:*:write');
  readingPartner = await hub.addPartner('reader');
  reader = await hub.tokenFor(readingPartner, 'collection:*:read');
  for (const { id } of [green, open]) {
    await putGrant(hub.hub.db, readingPartner.id, id, { can_read: true, can_write: false, tlp_ceiling: 1 });
  }
});
afterAll(() => hub.close());

describe('a collection with a maximum', () => {
  it('refuses what is above it, alone, and says why', async () => {
    const [fine, above] = [indicator({ object_marking_refs: [clear] }), indicator({ object_marking_refs: [red] })];
    const answer = await hub.post(sender, pathOf('up-to-green'), { objects: [fine, above] });
    expect(answer.statusCode).toBe(202);
    expect(answer.json().failures).toEqual([
      {
        id: above.id,
        version: above.modified,
        message: 'is TLP:RED, and this collection takes objects up to TLP:GREEN',
      },
    ]);
  });

  it('gives objects without a marking its default', async () => {
    const unmarked = indicator();
    expect((await hub.post(sender, pathOf('up-to-green'), { objects: [unmarked] })).statusCode).toBe(202);
    expect((await hub.get(reader, `${pathOf('up-to-green')}${unmarked.id}/`)).statusCode).toBe(200);
    expect((await hub.post(sender, pathOf('open'), { objects: [unmarked] })).statusCode).toBe(202);
    expect((await hub.get(reader, `${pathOf('open')}${unmarked.id}/`)).statusCode).toBe(404);
  });
});

describe('a TLP marking under an id that nobody knows', () => {
  const definition = {
    type: 'marking-definition',
    spec_version: '2.1',
    id: own,
    created: '2020-01-01T00:00:00.000Z',
    definition_type: 'tlp',
    definition: { tlp: 'red' },
  };

  it('is refused, with what is marked with it in the same envelope', async () => {
    const [whole, part, other] = [
      indicator({ object_marking_refs: [own] }),
      indicator({ granular_markings: [{ marking_ref: own, selectors: ['name'] }] }),
      indicator(),
    ];
    const answer = await hub.post(sender, pathOf('open'), { objects: [whole, part, other, definition] });
    expect(answer.statusCode).toBe(202);
    const { successes, failures } = answer.json();
    expect(successes.map((one: { id: string }) => one.id)).toEqual([other.id]);
    expect(failures.map((one: { id: string }) => one.id)).toEqual([whole.id, part.id, own]);
    for (const { message } of failures) expect(message).toMatch(/TLP marking under an id of its own.*§7\.2\.1\.4/);
  });

  it.each([
    ['the collection is strict', 'strict', {}],
    ['it has other faults', 'open', { description: null }],
    ['its id is written in upper case', 'open', { id: `marking-definition--${own.slice(-36).toUpperCase()}` }],
  ])('takes along what is marked with it where %s', async (_, alias, changes) => {
    const marked = indicator({ object_marking_refs: [own] });
    const answer = await hub.post(sender, pathOf(alias), { objects: [{ ...definition, ...changes }, marked] });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().details.failures[1]).toMatchObject({ id: marked.id });
  });
});

it('an import remembers a TLP marking under an id of its own over all its batches', async () => {
  const row = required(await findCollection(hub.hub.db, 'open'));
  const partner = await hub.addPartner();
  const definition = {
    ...{ type: 'marking-definition', spec_version: '2.1', id: own, created: '2020-01-01T00:00:00.000Z' },
    ...{ definition_type: 'tlp', definition: { tlp: 'red' } },
  };
  const marked = indicators(1100).map(one => ({ ...one, object_marking_refs: [own] }));
  const results: string[] = [];
  await importObjects(
    hub.hub,
    row,
    { partnerId: partner.id, partner: partner.slug, actor: operator },
    [Buffer.from(JSON.stringify({ objects: [definition, ...marked] }))],
    ({ outcomes }) => results.push(...outcomes.map(({ result }) => result)),
  );
  expect(results).toEqual(Array(1101).fill('refused'));
});

describe('what a partner may not see', () => {
  it('leaves no trace in dates, counts, cursors, versions and errors', async () => {
    const collection = await hub.addCollection({ alias: 'silent' });
    const writer = await hub.tokenFor(await hub.addPartner(), 'collection:silent:read collection:silent:write');
    const silent = await hub.tokenFor(readingPartner, 'collection:silent:read');
    await putGrant(hub.hub.db, readingPartner.id, collection.id, { can_read: true, can_write: false, tlp_ceiling: 1 });
    const poll = () => hub.get(silent, pathOf('silent'));
    const before = await poll();
    const hidden = indicators(20).map(one => ({ ...one, object_marking_refs: [red] }));
    await hub.post(writer, pathOf('silent'), { objects: hidden });
    const after = await poll();
    expect(after.body).toBe(before.body);
    for (const header of ['x-taxii-date-added-first', 'x-taxii-date-added-last', 'content-length']) {
      expect(after.headers[header]).toBe(before.headers[header]);
    }
    // Of an object that it could see, a version that it may not see changes nothing.
    const seen = indicator({ object_marking_refs: [green] });
    await hub.post(writer, pathOf('silent'), { objects: [seen] });
    const first = await hub.get(silent, `${pathOf('silent')}${seen.id}/?match[version]=all`);
    const later = revise(seen, '2026-03-02T10:00:00.000Z', { object_marking_refs: [red] });
    await hub.post(writer, pathOf('silent'), { objects: [later] });
    const second = await hub.get(silent, `${pathOf('silent')}${seen.id}/`);
    expect(second.body).toBe(first.body);
    expect((await hub.get(writer, `${pathOf('silent')}${seen.id}/`)).json().objects).toEqual([later]);
  });

  it('does not say when it came to who sends an observable of the same id', async () => {
    const sent = { type: 'ipv4-addr', spec_version: '2.1', id: `ipv4-addr--${randomUUID()}`, value: '198.51.100.3' };
    const hidden = { ...sent, object_marking_refs: [red] };
    const writer = await hub.tokenFor(await hub.addPartner(), 'collection:open:write');
    await hub.post(sender, pathOf('open'), { objects: [hidden] });
    const { failures, successes } = (await hub.post(writer, pathOf('open'), { objects: [sent, hidden] })).json();
    expect([...failures, ...successes].map(({ version }) => version)).toEqual(['unknown', 'unknown']);
  });
});
