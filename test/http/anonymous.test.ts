import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPartner, type PartnerRow } from '../../src/db/partners.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { createSite, type Site, toDatabaseUrl } from '../support/process.ts';
import { indicator, revise } from '../support/stix.ts';

let hub: TestHub;
let site: Site;
let bankToken: string;
let policeToken: string;
const url = '/hub/collections/leaks/objects/';
const bankIdentity = 'identity--0c0c0c0c-1111-4222-8333-444455556666';
const mitre = 'identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5';
let hubIdentity: string;

const partnerOf = async (slug: string) => (await findPartner(hub.hub.db, slug)) as PartnerRow;

beforeAll(async () => {
  hub = await startTestHub();
  site = await createSite({ DATABASE_URL: toDatabaseUrl(hub.database.connection) });
  hubIdentity = hub.hub.identity.stixId;
  await site.ok('partner', 'add', 'quietcorp', '--name', 'The Secret Bank', '--sector', 'finance');
  await site.ok('partner', 'add', 'police', '--name', 'Police', '--sector', 'law-enforcement');
  await site.ok('collection', 'add', 'leaks', '--title', 'Leaks', '--anonymous');
  bankToken = await hub.tokenFor(await partnerOf('quietcorp'), 'collection:leaks:read collection:leaks:write');
  policeToken = await hub.tokenFor(await partnerOf('police'), 'collection:leaks:read collection:leaks:write');
});
afterAll(async () => {
  await site.remove();
  await hub.close();
});

const push = (objects: unknown[], token = bankToken) => hub.post(token, url, { objects });
/** why the bank's object was refused; undefined where it was taken */
async function reasonFor(object: object, token = bankToken): Promise<string | undefined> {
  const answer = await push([object, indicator()], token);
  expect(answer.statusCode).toBe(202);
  return answer.json().failures?.[0].message;
}
const identity = (properties: object) => ({
  type: 'identity',
  spec_version: '2.1',
  created: '2026-03-01T10:00:00.000Z',
  modified: '2026-03-01T10:00:00.000Z',
  identity_class: 'organization',
  id: `identity--${crypto.randomUUID()}`,
  ...properties,
});

describe('an anonymous collection', () => {
  it('says that it is one, and holds the identity that stands for all senders', async () => {
    expect((await hub.get(policeToken, '/hub/collections/leaks/')).json()).toMatchObject({ x_taxiway_anonymous: true });
    const { objects } = (await hub.get(policeToken, `${url}?match[type]=identity`)).json();
    expect(objects).toEqual([expect.objectContaining({ id: hubIdentity, name: 'Taxiway' })]);
    expect(objects[0]).not.toHaveProperty('created_by_ref');
    await hub.addCollection({ alias: 'open' });
    const token = await hub.tokenFor(await partnerOf('police'), 'collection:open:read');
    expect((await hub.get(token, '/hub/collections/open/')).json()).not.toHaveProperty('x_taxiway_anonymous');
  });

  it('nobody owns that identity, and nobody can change it', async () => {
    const { objects } = (await hub.get(bankToken, `${url}${hubIdentity}/`)).json();
    const changed = revise(objects[0], '2026-10-01T00:00:00.000Z', { name: 'The Secret Bank' });
    expect((await push([revise(objects[0], '2026-10-01T00:00:00.000Z', { name: 'x' })])).statusCode).toBe(422);
    expect((await push([changed])).statusCode).toBe(422);
    expect((await hub.request(bankToken, { method: 'DELETE', url: `${url}${hubIdentity}/` })).statusCode).toBe(404);
    expect((await hub.get(bankToken, `${url}${hubIdentity}/provenance/`)).statusCode).toBe(404);
    expect(await site.ok('provenance', hubIdentity)).toMatch(/the hub +operator/);
  });

  it('refuses any created_by_ref but that of the hub while it does not know who the sender is', async () => {
    expect(await reasonFor(indicator({ created_by_ref: bankIdentity }))).toMatch(
      /does not know which identities stand for you.*leave it out, or name identity--\S+ in its place/,
    );
    expect(await reasonFor(indicator({ created_by_ref: hubIdentity }))).toBeUndefined();
    expect(await reasonFor(indicator())).toBeUndefined();
  });

  it('refuses what names the sender, wherever and however it stands there', async () => {
    await site.ok('partner', 'identity', 'add', 'quietcorp', bankIdentity);
    const sighting = {
      ...indicator({ type: 'sighting', id: `sighting--${crypto.randomUUID()}`, pattern: undefined }),
      pattern_type: undefined,
      name: undefined,
      valid_from: undefined,
      sighting_of_ref: indicator().id,
      where_sighted_refs: [bankIdentity],
    };
    for (const object of [
      indicator({ created_by_ref: bankIdentity }),
      indicator({ created_by_ref: bankIdentity.replace('c0c', 'C0c') }),
      indicator({ description: `Seen by ${bankIdentity.toUpperCase()}.` }),
      indicator({ external_references: [{ source_name: 'x', external_id: bankIdentity }] }),
      sighting,
      identity({ id: bankIdentity, name: 'Anybody' }),
      identity({ name: 'the secret BANK ' }),
    ]) {
      expect(await reasonFor(object)).toMatch(/consumers of this collection must not learn who sends/);
    }
    const escaped = JSON.stringify({ objects: [indicator({ created_by_ref: bankIdentity }), indicator()] });
    const answer = await hub.post(bankToken, url, escaped.replace(bankIdentity, bankIdentity.replace('-', '\\u002d')));
    expect(answer.json()).toMatchObject({ success_count: 1, failure_count: 1 });
  });

  it('takes what names others: they are not the sender', async () => {
    expect(await reasonFor(indicator({ created_by_ref: mitre }))).toBeUndefined();
    expect(await reasonFor(identity({ name: 'Another Bank' }))).toBeUndefined();
    // What the bank must not send, others may.
    await site.ok('partner', 'identity', 'add', 'police', 'identity--11111111-1111-4111-8111-111111111111');
    expect(await reasonFor(indicator({ created_by_ref: bankIdentity }), policeToken)).toBeUndefined();
  });

  it('holds for imports too', async () => {
    const file = join(site.dataDir, 'bundle.json');
    await writeFile(file, JSON.stringify({ objects: [indicator({ created_by_ref: bankIdentity })] }));
    const { code, stderr } = await site.run('import', 'leaks', file, '--as', 'quietcorp');
    expect(code).toBe(1);
    expect(stderr).toMatch(/it names identity--\S+, which stands for you/);
  });

  it('no answer to a consumer names the sender', async () => {
    const object = indicator({ created_by_ref: hubIdentity });
    await push([object, revise(object, '2026-05-01T00:00:00.000Z')]);
    const answers = [
      await hub.get(policeToken, url),
      await hub.get(policeToken, '/hub/collections/leaks/'),
      await hub.get(policeToken, '/hub/collections/leaks/manifest/'),
      await hub.get(policeToken, `${url}${object.id}/`),
      await hub.get(policeToken, `${url}${object.id}/versions/`),
      await hub.get(policeToken, `${url}${object.id}/provenance/`),
      await hub.request(policeToken, { method: 'DELETE', url: `${url}${object.id}/` }),
      await push([revise(object, '2026-06-01T00:00:00.000Z')], policeToken),
    ];
    expect(answers.map(answer => answer.statusCode)).toEqual([200, 200, 200, 200, 200, 404, 404, 422]);
    for (const { body, headers } of answers) {
      expect(body + JSON.stringify(headers)).not.toMatch(/quietcorp|secret/i);
    }
    // The sender can still ask about its own.
    expect((await hub.get(bankToken, `${url}${object.id}/provenance/`)).json().versions).toHaveLength(2);
  });
});

describe('npx taxiway partner identity', () => {
  it('notes, lists and forgets; an identity stands for one partner', async () => {
    const id = 'identity--22222222-2222-4222-8222-222222222222';
    await site.ok('partner', 'identity', 'add', 'quietcorp', id.toUpperCase().replace('IDENTITY', 'identity'));
    await site.ok('partner', 'identity', 'add', 'quietcorp', id);
    expect((await site.run('partner', 'identity', 'add', 'police', id)).stderr).toMatch(
      /stands for "quietcorp" already/,
    );
    expect(JSON.parse(await site.ok('partner', 'identity', 'list', 'quietcorp', '--json'))).toContainEqual(
      expect.objectContaining({ partner: 'quietcorp', identity: id }),
    );
    expect((await site.run('partner', 'identity', 'remove', 'police', id)).stderr).toMatch(
      /does not stand for "police"/,
    );
    await site.ok('partner', 'identity', 'remove', 'quietcorp', id);
    expect(await site.ok('partner', 'identity', 'list')).not.toContain(id);
    const rows = JSON.parse(await site.ok('audit', 'list', '--chain', 'hub', '--limit', '3', '--json'));
    expect(rows[0]).toMatchObject({ action: 'identity-removed', subject: 'quietcorp' });
  });

  it.each([
    [['add', 'quietcorp', 'nonsense'], /identity--<UUID>, not "nonsense"/],
    [['add', 'quietcorp', indicator().id], /identity--<UUID>, not "indicator/],
    [['add', 'nobody', bankIdentity], /no partner "nobody"/],
  ])('%j is one sentence and exit code 1', async (args, sentence) => {
    const { code, stderr } = await site.run('partner', 'identity', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });

  it('the hub itself is no partner', async () => {
    expect((await site.run('partner', 'identity', 'add', 'quietcorp', hubIdentity)).stderr).toMatch(
      /stands for no partner/,
    );
  });
});
