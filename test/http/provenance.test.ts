import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import type { CollectionRow } from '../../src/db/collections.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { importObjects } from '../../src/taxii/import.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { createSite, type Site, toDatabaseUrl } from '../support/process.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

let hub: TestHub;
let site: Site;
let collection: CollectionRow;
let bank: PartnerRow;
let bankToken: string;
let policeToken: string;
const url = '/hub/collections/origins/objects/';
const scope = 'collection:origins:read collection:origins:write';

beforeAll(async () => {
  hub = await startTestHub();
  site = await createSite({ DATABASE_URL: toDatabaseUrl(hub.database.connection) });
  collection = await hub.addCollection({ alias: 'origins' });
  bank = await hub.addPartner('bank');
  bankToken = await hub.tokenFor(bank, scope);
  policeToken = await hub.tokenFor(await hub.addPartner('police'), scope);
});
afterAll(async () => {
  await site.remove();
  await hub.close();
});

const push = (objects: unknown[], token = bankToken) => hub.post(token, url, { objects });
const ask = (id: string, token = bankToken, query = '') => hub.get(token, `${url}${id}/provenance/${query}`);
const jtiOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()).jti;
const json = async (...args: string[]) => JSON.parse(await site.ok('provenance', ...args, '--json'));

describe('provenance', () => {
  it('tells the owner of an object who added each version, when, with which token, in which request', async () => {
    const object = indicator();
    const later = revise(object, '2026-05-01T00:00:00.1234Z');
    const second = await hub.tokenFor(bank, scope);
    await push([...indicators(3), object, ...indicators(2)]);
    await push(indicators(4), policeToken);
    await push([later], second);
    const { id, more, versions } = (await ask(object.id)).json();
    expect({ id, more }).toEqual({ id: object.id, more: false });
    const { objects } = (
      await hub.get(bankToken, `/hub/collections/origins/manifest/?match[id]=${object.id}&match[version]=all`)
    ).json();
    expect(versions).toEqual([
      {
        version: object.modified,
        date_added: objects[0].date_added,
        added_by: 'bank',
        token: jtiOf(bankToken),
        request_id: expect.any(String),
      },
      {
        version: '2026-05-01T00:00:00.1234Z',
        date_added: objects[1].date_added,
        added_by: 'bank',
        token: jtiOf(second),
        request_id: expect.any(String),
      },
    ]);
    const line = hub.log.map(text => JSON.parse(text)).find(one => one.reqId === versions[1].request_id);
    expect(line).toMatchObject({ operation: 'addObjects', partner: 'bank' });
  });

  it('is there for nobody else: the same answer as for an object that is not there', async () => {
    const object = indicator();
    await push([object]);
    const [foreign, absent] = [await ask(object.id, policeToken), await ask(indicator().id, policeToken)];
    expect(foreign.statusCode).toBe(404);
    expect({ ...foreign.json(), error_id: '' }).toEqual({ ...absent.json(), error_id: '' });
    expect(foreign.json()).toMatchObject({ error_code: 'object-not-found' });
    const writeOnly = await hub.tokenFor(bank, 'collection:origins:write');
    expect((await ask(object.id, writeOnly)).statusCode).toBe(200);
    const stranger = await hub.tokenFor(await hub.addPartner(), 'collection:none:read');
    expect((await ask(object.id, stranger)).json()).toMatchObject({ error_code: 'collection-not-found' });
    expect((await ask('nonsense')).statusCode).toBe(404);
  });

  it('names the operator where objects were imported for the partner', async () => {
    const object = indicator();
    const sender = { partnerId: bank.id, partner: bank.slug, actor: operator };
    await importObjects(hub.hub, collection, sender, one(JSON.stringify({ objects: [object] })));
    const [version] = (await ask(object.id)).json().versions;
    expect(version).toEqual({ version: object.modified, date_added: expect.any(String), added_by: 'operator' });
  });

  it('says so where a version is older than the audit log', async () => {
    const object = indicator();
    await hub.database.db
      .insertInto('object_version')
      .values({
        collection_id: collection.id,
        date_added: '2020-01-01T00:00:00.000000Z',
        added_by: bank.id,
        tlp: 2,
        first_below: 5,
        last_below: 5,
        object_id: object.id,
        version: '2026-03-01T10:00:00',
        version_text: object.modified,
        type: 'indicator',
        spec_version: '2.1',
        object: JSON.stringify(object),
      })
      .execute();
    const [version] = (await ask(object.id)).json().versions;
    expect(version).toMatchObject({ version: object.modified, message: 'added before the hub kept an audit log' });
    expect(version).not.toHaveProperty('added_by');
  });

  it('is still told of deleted versions, to the partner that had them', async () => {
    const object = indicator();
    const later = revise(object, '2026-05-01T00:00:00.000Z');
    await push([object, later]);
    await hub.request(bankToken, { method: 'DELETE', url: `${url}${object.id}/?match[version]=last` });
    const { versions } = (await ask(object.id)).json();
    expect(versions.map((version: { deleted_at?: string }) => version.deleted_at)).toEqual([
      undefined,
      expect.any(String),
    ]);
    expect(versions[1]).toMatchObject({ version: later.modified, added_by: 'bank' });
    await hub.request(bankToken, { method: 'DELETE', url: `${url}${object.id}/` });
    // Whoever adds it now owns it, and learns nothing of who had it before.
    await push([object], policeToken);
    expect((await ask(object.id, policeToken)).json().versions).toEqual([
      expect.objectContaining({ added_by: 'police' }),
    ]);
    expect((await ask(object.id)).json().versions).toHaveLength(2);
  });

  it('comes in pages', async () => {
    const object = indicator();
    const versions = ['01', '02', '03'].map(day => revise(object, `2026-04-${day}T00:00:00.000Z`));
    await push(versions);
    const first = (await ask(object.id, bankToken, '?limit=2')).json();
    const second = (await ask(object.id, bankToken, `?limit=2&next=${first.next}`)).json();
    expect(first).toMatchObject({ more: true });
    expect(second).toMatchObject({ more: false });
    expect([...first.versions, ...second.versions].map(one => one.version)).toEqual(versions.map(one => one.modified));
  });
});

describe('npx taxiway provenance', () => {
  it('tells the operator, of every collection or of one', async () => {
    await hub.addCollection({ alias: 'others' });
    await hub.tokenFor(bank, 'collection:others:write');
    const token = await hub.tokenFor(bank, `${scope} collection:others:write`);
    const object = indicator();
    await push([object], token);
    await hub.post(token, '/hub/collections/others/objects/', { objects: [object] });
    const rows = await json(object.id);
    expect(rows.map((row: { collection: string }) => row.collection).sort()).toEqual(['origins', 'others']);
    expect(await json(object.id, '--collection', 'others')).toEqual([
      {
        collection: 'others',
        version: object.modified,
        date_added: expect.any(String),
        owner: 'bank',
        added_by: 'bank',
        token: jtiOf(token),
        request_id: expect.any(String),
        deleted_at: null,
      },
    ]);
    await hub.request(token, { method: 'DELETE', url: `${url}${object.id}/` });
    expect((await json(object.id, '--collection', 'origins'))[0].deleted_at).toEqual(expect.any(String));
  });

  it.each([
    [[indicator().id], /There is no object "indicator--\S+" in any collection/],
    [['nonsense', '--collection', 'origins'], /There is no object "nonsense" in "origins"/],
    [['nonsense', '--collection', 'none'], /no collection "none"/],
  ])('%j is one sentence and exit code 1', async (args, sentence) => {
    const { code, stderr } = await site.run('provenance', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

async function* one(text: string) {
  yield Buffer.from(text);
}
