import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import { findGrant, putGrant } from '../../src/db/grants.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { replay } from '../../src/taxii/replay.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator, revise } from '../support/stix.ts';

let hub: TestHub;
let sender: { partner: PartnerRow; token: string };
let reader: { partner: PartnerRow; token: string };

beforeAll(async () => {
  hub = await startTestHub();
  const enter = async (slug: string) => {
    const partner = await hub.addPartner(slug);
    return { partner, token: await hub.tokenFor(partner, 'collection:*:read collection:*:write') };
  };
  sender = await enter('sender');
  reader = await enter('reader');
});
afterAll(() => hub.close());

const levels = [
  'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
];
const objects = [1, 2, 3].map(n => indicator({ id: `indicator--11111111-1111-4111-8111-00000000000${n}` }));
type Step =
  | { kind: 'add'; object: number; day: number; level: number }
  | { kind: 'delete'; object: number }
  | { kind: 'grant'; ceiling: 0 | 4 };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    object: fc.nat(2),
    day: fc.integer({ min: 1, max: 4 }),
    level: fc.nat(1),
  }),
  fc.record({ kind: fc.constant('delete' as const), object: fc.nat(2) }),
  fc.record({ kind: fc.constant('grant' as const), ceiling: fc.constantFrom(0 as const, 4 as const) }),
);

async function newCollection(): Promise<{ id: string; alias: string; path: string }> {
  const { id, alias } = await hub.addCollection();
  for (const { partner } of [sender, reader])
    await hub.tokenFor(partner, `collection:${id}:read collection:${id}:write`);
  return { id, alias, path: `/hub/collections/${id}` };
}

async function take(collection: { id: string; path: string }, one: Step): Promise<void> {
  if (one.kind === 'add') {
    const modified = `2026-05-0${one.day}T00:00:00.000Z`;
    const version = revise(objects[one.object] as ReturnType<typeof indicator>, modified, {
      object_marking_refs: [levels[one.level]],
    });
    await hub.post(sender.token, `${collection.path}/objects/`, { objects: [version] });
  } else if (one.kind === 'delete') {
    const url = `${collection.path}/objects/${objects[one.object]?.id}/?match[version]=all`;
    await hub.request(sender.token, { method: 'DELETE', url });
  } else {
    const grant = await findGrant(hub.hub.db, reader.partner.id, collection.id);
    if (grant) await putGrant(hub.hub.db, reader.partner.id, collection.id, { ...grant, tlp_ceiling: one.ceiling });
  }
}

const pages = [
  '/objects/?limit=2',
  '/objects/?match[version]=all',
  '/objects/?match[type]=indicator',
  `/objects/${objects[0]?.id}/?match[version]=all`,
  '/manifest/?limit=2',
  '/manifest/?match[version]=all',
  `/objects/${objects[0]?.id}/versions/`,
];

it('an ETag is another one whenever the page is another one, and the same while it is the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async steps => {
      const collection = await newCollection();
      const seen = new Map<string, Map<string, string>>(pages.map(page => [page, new Map()]));
      for (const one of steps) {
        await take(collection, one);
        for (const page of pages) {
          const answer = await hub.get(reader.token, `${collection.path}${page}`);
          if (answer.statusCode === 404) continue;
          const etag = String(answer.headers.etag);
          const bodies = seen.get(page) as Map<string, string>;
          for (const [earlier, body] of bodies) expect(earlier === etag).toBe(body === answer.body);
          bodies.set(etag, answer.body);
        }
      }
    }),
    { numRuns: 10 },
  );
}, 180_000);

it('an ETag is another one where a replay puts the same objects in another order', async () => {
  const collection = await newCollection();
  const raise = (tlp_ceiling: number) =>
    changeGrant(hub.hub.db, reader.partner, collection, operator, () => ({ tlp_ceiling }));
  await raise(0);
  await take(collection, { kind: 'add', object: 0, day: 1, level: 1 });
  await take(collection, { kind: 'add', object: 1, day: 1, level: 0 });
  await raise(4);
  const before = await hub.get(reader.token, `${collection.path}/objects/`);
  expect(await replay(hub.hub.db, reader.partner, collection.id, { actor: operator })).toBe(1);
  const after = await hub.get(reader.token, `${collection.path}/objects/`);
  expect(after.json().objects).toEqual(before.json().objects.toReversed());
  expect(after.headers.etag).not.toBe(before.headers.etag);
});

describe('a page that the client has', () => {
  let path: string;
  let etag: string;

  beforeAll(async () => {
    const collection = await newCollection();
    path = collection.path;
    await take(collection, { kind: 'add', object: 0, day: 1, level: 0 });
    etag = String((await hub.get(sender.token, `${path}/objects/`)).headers.etag);
  });
  const ask = (ifNoneMatch: string, url = `${path}/objects/`, method: 'GET' | 'HEAD' = 'GET') =>
    hub.request(reader.token, { method, url, headers: { 'if-none-match': ifNoneMatch } });

  it('comes as 304, with its headers and without a body', async () => {
    const answer = await ask(etag);
    expect(answer.statusCode).toBe(304);
    expect(answer.body).toBe('');
    expect(answer.headers).toMatchObject({ etag, 'cache-control': 'private, no-cache' });
    expect(answer.headers['x-taxii-date-added-last']).toMatch(/Z$/);
    expect(answer.headers).not.toHaveProperty('content-type');
  });

  it.each(['"other", %', 'W/%', '*', '"a","b" , W/%'])('is known by If-None-Match: %s', async form => {
    expect((await ask(form.replace('%', etag))).statusCode).toBe(304);
    expect((await ask(form.replace('%', etag), undefined, 'HEAD')).statusCode).toBe(304);
  });

  it.each(['"other"', 'nonsense', '', 'W/"other", "more"'])('is not known by If-None-Match: %s', async form => {
    expect((await ask(form)).statusCode).toBe(200);
  });

  it('nobody counts as having been handed what came as 304', async () => {
    const collection = await newCollection();
    await take(collection, { kind: 'add', object: 0, day: 1, level: 0 });
    const deliveries = `${collection.path}/objects/${objects[0]?.id}/deliveries/`;
    expect((await ask('*', `${collection.path}/objects/`)).statusCode).toBe(304);
    expect((await hub.get(sender.token, deliveries)).json().versions[0]).not.toHaveProperty('delivered_to');
    expect((await ask('"none"', `${collection.path}/objects/`)).statusCode).toBe(200);
    expect((await hub.get(sender.token, deliveries)).json().versions[0]).toHaveProperty('delivered_to');
  });

  it('refusals have no ETag', async () => {
    expect((await ask('*', `${path}/objects/?limit=0`)).statusCode).toBe(400);
    expect((await ask('*', `${path}/objects/indicator--22222222-2222-4222-8222-222222222222/`)).statusCode).toBe(404);
  });
});
