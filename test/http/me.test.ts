import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertApiRoot } from '../../src/db/collections.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  await insertApiRoot(hub.hub.db, { slug: 'aviation', title: 'Aviation', description: null });
});
afterAll(() => hub.close());

const uuid = /^[0-9a-f-]{36}$/;
const validate = new Ajv2020({ strict: true, formats: { uuid, 'date-time': true } }).compile(
  JSON.parse(await readFile(new URL('../../schemas/taxiway/me.json', import.meta.url), 'utf8')),
);

it('tells a client of itself, and of nobody else', async () => {
  const [alpha, inbox] = [await hub.addCollection({ alias: 'alpha' }), await hub.addCollection({ alias: 'inbox' })];
  await hub.addCollection({ alias: 'airports', apiRoot: 'aviation' });
  await hub.addCollection({ alias: 'other' });
  await hub.tokenFor(await hub.addPartner('stranger'), 'collection:*:read');
  const scope = 'collection:alpha:read collection:inbox:write collection:airports:read';
  const token = await hub.tokenFor(await hub.addPartner('bank'), scope);
  const object = indicator();
  await hub.post(token, '/hub/collections/inbox/objects/', { objects: [object] });

  const answer = await hub.get(token, '/hub/me/');
  expect(answer.headers['content-type']).toBe(taxii);
  const me = answer.json();
  expect(validate(me), JSON.stringify(validate.errors)).toBe(true);
  expect(me).toMatchObject({
    partner: { slug: 'bank', name: 'bank', sector: 'finance' },
    credential: { id: expect.stringMatching(uuid), certificate_bound: false },
    scopes: scope,
    limits: { requests_per_minute: 6000, slowed_from: 3001, max_content_length: 32 * 1024 * 1024 },
  });
  expect(Date.parse(me.credential.expires_at)).toBeGreaterThan(Date.now());
  const byAlias = [...me.collections].sort((one, other) => (one.alias < other.alias ? -1 : 1));
  expect(byAlias).toEqual([
    { id: alpha.id, alias: 'alpha', title: alpha.title, can_read: true, can_write: false, tlp_ceiling: 'amber' },
    {
      id: inbox.id,
      alias: 'inbox',
      title: inbox.title,
      can_read: false,
      can_write: true,
      storage: { used_bytes: Buffer.byteLength(JSON.stringify(object)), quota_bytes: 10 * 2 ** 30 },
    },
  ]);
  expect(answer.body).not.toContain('stranger');
  expect((await hub.get(token, '/aviation/me/')).json().collections).toHaveLength(1);
});

it('is not there where the API root is not, nor without a credential', async () => {
  const nobody = await hub.tokenFor(await hub.addPartner(), 'collection:nowhere:read');
  expect((await hub.get(nobody, '/aviation/me/')).json().error_code).toBe('api-root-not-found');
  expect((await hub.get(nobody, '/unknown/me/')).json().error_code).toBe('api-root-not-found');
  const atHome = (await hub.get(nobody, '/hub/me')).json();
  expect(validate(atHome)).toBe(true);
  expect(atHome).not.toHaveProperty('collections');
  expect((await hub.request(undefined, { url: '/hub/me/' })).statusCode).toBe(401);
  expect((await hub.request(nobody, { method: 'POST', url: '/hub/me/' })).statusCode).toBe(405);
});
