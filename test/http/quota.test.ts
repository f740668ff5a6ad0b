import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { findGrant, putGrant } from '../../src/db/grants.ts';
import { importObjects } from '../../src/taxii/import.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ quotaBytes: 5000 });
});
afterAll(() => hub.close());

const sizeOf = (value: object) => Buffer.byteLength(JSON.stringify(value));

async function prepare(alias: string) {
  const partner = await hub.addPartner();
  const collection = await hub.addCollection({ alias });
  const token = await hub.tokenFor(partner, `collection:${alias}:read collection:${alias}:write`);
  const objects = `/hub/collections/${alias}/objects/`;
  return {
    partner,
    collection,
    objects,
    token,
    push: (...values: object[]) => hub.post(token, objects, { objects: values }),
    remove: (id: string, query = '') => hub.request(token, { method: 'DELETE', url: `${objects}${id}/${query}` }),
    async used() {
      const { collections } = (await hub.get(token, '/hub/me/')).json();
      return collections[0].storage.used_bytes as number;
    },
    async stored() {
      const { bytes } = await hub.hub.db
        .selectFrom('object_version')
        .select(sql<number>`coalesce(sum(octet_length(object)), 0)::integer`.as('bytes'))
        .where('collection_id', '=', collection.id)
        .executeTakeFirstOrThrow();
      return bytes;
    },
    async setQuota(quota_bytes: number | null) {
      const grant = required(await findGrant(hub.hub.db, partner.id, collection.id));
      await putGrant(hub.hub.db, partner.id, collection.id, { ...grant, quota_bytes });
    },
  };
}

describe('a storage quota', () => {
  it('refuses what would pass it, object by object, and takes smaller ones after it', async () => {
    const { push, used, stored } = await prepare('one');
    const [first, large, small] = [indicator(), indicator({ description: 'é'.repeat(2400) }), indicator()];
    const status = (await push(first, large, small)).json();
    expect(status).toMatchObject({ success_count: 2, failure_count: 1 });
    expect(status.failures[0]).toMatchObject({ id: large.id });
    expect(status.failures[0].message).toContain(
      `you may store 5000 bytes in this collection and have stored ${sizeOf(first)}`,
    );
    expect(status.failures[0].message).toContain(`the ${sizeOf(large)} of this version do not fit`);
    expect(await used()).toBe(sizeOf(first) + sizeOf(small));
    expect(await used()).toBe(await stored());
  });

  it('is reached to the byte, and no further', async () => {
    const { push, setQuota } = await prepare('exact');
    const [one, other] = [indicator(), indicator()];
    await setQuota(sizeOf(one) + sizeOf(other));
    expect((await push(one)).statusCode).toBe(202);
    expect((await push(other)).statusCode).toBe(202);
    expect((await push(indicator())).json().error_code).toBe('envelope-refused');
    expect((await push(one)).json()).toMatchObject({ success_count: 1 });
  });

  it('is given back by deleting, all of an object or a version', async () => {
    const { push, remove, used, stored } = await prepare('deleted');
    const one = indicator();
    const later = revise(one, '2026-03-02T10:00:00.000Z', { description: 'ä'.repeat(50) });
    await push(one, later, indicator());
    expect((await remove(one.id, `?match[version]=${later.modified}`)).statusCode).toBe(200);
    expect(await used()).toBe(await stored());
    expect((await remove(one.id)).statusCode).toBe(200);
    expect(await used()).toBe(await stored());
    expect(await used()).toBeGreaterThan(0);
  });

  it('is of one partner in one collection, and of its grant where that says one', async () => {
    const [one, other] = [await prepare('first'), await prepare('second')];
    const many = indicators(20);
    expect((await one.push(...many)).json().failure_count).toBeGreaterThan(0);
    expect((await other.push(indicator())).statusCode).toBe(202);
    await other.setQuota(0);
    expect((await other.push(...many)).json().failure_count).toBe(0);
    await other.setQuota(null);
    expect((await other.push(indicator())).statusCode).toBe(422);
  });

  it('holds for writers at the same time', async () => {
    const { push, used, stored } = await prepare('crowded');
    await Promise.all(indicators(40).map(object => push(object)));
    expect(await used()).toBe(await stored());
    expect(await used()).toBeLessThanOrEqual(5000);
    expect(await used()).toBeGreaterThan(5000 - sizeOf(indicator()));
  });

  it('counts what the operator imports, and does not refuse it', async () => {
    const { partner, collection, used, stored, push } = await prepare('imported');
    const sender = { partnerId: partner.id, partner: partner.slug, actor: operator };
    const bundle = Buffer.from(JSON.stringify({ objects: indicators(30) }));
    const chunks = (async function* () {
      yield bundle;
    })();
    await importObjects(hub.hub, collection, sender, chunks);
    expect(await used()).toBeGreaterThan(5000);
    expect(await used()).toBe(await stored());
    expect((await push(indicator())).statusCode).toBe(422);
  });
});
