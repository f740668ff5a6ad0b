import fc from 'fast-check';
import type { LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { RowClient } from '../../src/db/row-client.ts';
import { createHub } from '../../src/hub.ts';
import type { TlpLevel } from '../../src/stix/tlp.ts';
import { replay } from '../../src/taxii/replay.ts';
import { required, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator, revise } from '../support/stix.ts';

// Two nodes on one database: one keeps pages, and one reads them each time. Whatever has happened, they answer the same.

type App = Awaited<ReturnType<typeof buildApp>>;
interface Partner {
  partner: PartnerRow;
  token: string;
}

let hub: TestHub;
let plain: App;
let partners: Partner[];

beforeAll(async () => {
  hub = await startTestHub();
  const another = await createHub({ ...hub.hub.config, pageCacheBytes: 0 }, hub.database.open());
  plain = await buildApp(another, pino({ level: 'silent' }));
  partners = [];
  for (const slug of ['sender', 'other', 'third']) {
    const partner = await hub.addPartner(slug);
    partners.push({ partner, token: await hub.tokenFor(partner, 'collection:*:read collection:*:write') });
  }
});
afterAll(async () => {
  await plain.close();
  await hub.close();
});

const levels = [
  'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
];
const objects = [1, 2, 3, 4].map(n => indicator({ id: `indicator--11111111-1111-4111-8111-00000000000${n}` }));
const partner = fc.nat(2);
const object = fc.nat(3);
const addition = fc.record({ object, day: fc.integer({ min: 1, max: 5 }), level: fc.nat(2) });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      partner,
      additions: fc.array(addition, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), partner, object }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('grant' as const), partner, ceiling: fc.constantFrom<TlpLevel>(0, 2, 4) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), partner, isAll: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

async function take(collectionId: string, one: Step): Promise<void> {
  const { partner, token } = required(partners[one.partner]);
  const path = `/hub/collections/${collectionId}/objects/`;
  if (one.kind === 'add') {
    const versions = one.additions.map(({ object, day, level }) =>
      revise(required(objects[object]), `2026-05-0${day}T00:00:00.000Z`, { object_marking_refs: [levels[level]] }),
    );
    await hub.post(token, path, { objects: versions });
  } else if (one.kind === 'delete') {
    const url = `${path}${objects[one.object]?.id}/?match[version]=last`;
    await hub.request(token, { method: 'DELETE', url });
  } else if (one.kind === 'grant') {
    const collection = { id: collectionId, alias: collectionId };
    await changeGrant(hub.hub.db, partner, collection, operator, () => ({ tlp_ceiling: one.ceiling }));
  } else {
    const since = one.isAll ? { since: '2026-01-01T00:00:00.000000Z' } : {};
    await replay(hub.hub.db, partner, collectionId, { ...since, actor: operator });
  }
}

const queries = ['?limit=1', '?limit=2', '?match[version]=all&limit=3', '?match[type]=indicator', `${objects[0]?.id}/`];

/** The pages of a query, one after the other, up to the one with nothing on it. */
async function follow(app: App, token: string, path: string, query: string): Promise<unknown[]> {
  const pages: unknown[] = [];
  let lastBefore: unknown;
  for (let url: string | undefined = `${path}${query}`; url && pages.length < 30; ) {
    const answer: LightMyRequestResponse = await app.inject({
      url,
      headers: { accept: taxii, authorization: `Bearer ${token}` },
    });
    const { 'x-taxii-date-added-first': first, 'x-taxii-date-added-last': last, etag } = answer.headers;
    pages.push({ status: answer.statusCode, first, last, etag, body: answer.statusCode === 200 && answer.body });
    const next: string | undefined = answer.statusCode === 200 ? answer.json().next : undefined;
    const rest = next ? `next=${next}` : last !== lastBefore ? `added_after=${last}` : undefined;
    url = rest && `${path}${query}${query.includes('?') ? '&' : '?'}${rest}`;
    lastBefore = last;
  }
  return pages;
}

it('a page that was kept is the one that is read now', async () => {
  const reading = vi.spyOn(RowClient.prototype, 'collect');
  const readings = { kept: 0, plain: 0 };
  const count = async <Result>(node: keyof typeof readings, run: () => Promise<Result>) => {
    reading.mockClear();
    const result = await run();
    readings[node] += reading.mock.calls.length;
    return result;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 6 }), async steps => {
      const { id } = await hub.addCollection();
      for (const { partner } of partners) await hub.tokenFor(partner, `collection:${id}:read collection:${id}:write`);
      const path = `/hub/collections/${id}/objects/`;
      for (const one of steps) {
        await take(id, one);
        for (const { token } of partners) {
          for (const query of queries) {
            const kept = await count('kept', () => follow(hub.app, token, path, query));
            expect(kept).toEqual(await count('plain', () => follow(plain, token, path, query)));
          }
        }
      }
    }),
    { numRuns: 8 },
  );
  // And they were kept.
  expect(readings.kept).toBeLessThan(0.8 * readings.plain);
}, 180_000);
