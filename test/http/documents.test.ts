import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

describe('what integrators read', () => {
  it('/openapi.json is the committed document', async () => {
    const answer = await hub.app.inject('/openapi.json');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json()).toEqual(
      JSON.parse(await readFile(new URL('../../openapi/taxiway.json', import.meta.url), 'utf8')),
    );
  });

  it('/docs is a page whose every part comes from the hub', async () => {
    const page = await hub.app.inject('/docs');
    expect(page.statusCode).toBe(200);
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1] as string);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      const { pathname, host } = new URL(part, 'http://hub.invalid/docs/');
      expect(host).toBe('hub.invalid');
      expect((await hub.app.inject(pathname)).statusCode).toBe(200);
    }
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  });

  it('health needs no credential and says nothing else', async () => {
    expect((await hub.app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await hub.app.inject('/readyz')).json()).toEqual({ status: 'ready' });
  });
});

it('every answer is as its published schema says', async () => {
  const ajv = new Ajv2020({ strict: true, formats: { uuid: /^[0-9a-f-]{36}$/ } });
  const names = [
    'discovery',
    'api-root',
    'collection',
    'collections',
    'envelope',
    'manifest',
    'versions',
    'status',
    'error',
  ];
  for (const name of names) {
    ajv.addSchema(
      JSON.parse(await readFile(new URL(`../../schemas/taxii/2.1/${name}.json`, import.meta.url), 'utf8')),
      name,
    );
  }
  await hub.addCollection({ alias: 'shown' });
  const token = await hub.tokenFor(await hub.addPartner(), 'collection:shown:read collection:shown:write');
  const objects = '/hub/collections/shown/objects/';
  const object = indicator();
  const status = await hub.post(token, objects, { objects: [object, indicator(), { type: 'indicator' }] });
  const answers = {
    status: [status, await hub.get(token, `/hub/status/${status.json().id}/`)],
    discovery: [await hub.get(token, '/taxii2/')],
    'api-root': [await hub.get(token, '/hub/')],
    collections: [await hub.get(token, '/hub/collections/')],
    collection: [await hub.get(token, '/hub/collections/shown/')],
    envelope: [
      await hub.get(token, `${objects}?limit=1`),
      await hub.get(token, `${objects}?match[type]=tool`),
      await hub.get(token, `${objects}${object.id}/`),
    ],
    manifest: [await hub.get(token, '/hub/collections/shown/manifest/?limit=1')],
    versions: [await hub.get(token, `${objects}${object.id}/versions/`)],
    error: [
      await hub.get(token, '/none/'),
      await hub.post(token, objects, { objects: [1] }),
      await hub.app.inject('/taxii2/'),
    ],
  };
  for (const [name, given] of Object.entries(answers)) {
    const validate = ajv.getSchema(name);
    for (const answer of given) {
      expect({
        name,
        status: answer.statusCode,
        isValid: validate?.(answer.json()),
        errors: validate?.errors,
      }).toMatchObject({ isValid: true });
    }
  }
});
