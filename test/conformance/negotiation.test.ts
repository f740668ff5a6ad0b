import { describe, expect, it } from 'vitest';
import { get, post, request, shared, taxii } from './support/client.ts';
import { indicator } from './support/stix.ts';

const endpoints: [string, string][] = [
  ['discovery', ''],
  ['collections', 'collections/'],
  ['collection', shared],
  ['manifest', `${shared}manifest/?limit=1`],
  ['objects', `${shared}objects/?limit=1`],
];
const ask = (path: string, accept: string | undefined) =>
  path === '' ? request('/taxii2/', { headers: { accept } }) : get(path, { headers: { accept } });

describe.each(endpoints)('Accept at %s', (_name, path) => {
  it.each([
    [taxii],
    ['application/taxii+json; version=2.1'],
    ['application/taxii+json;version="2.1"'],
    ['Application/TAXII+JSON;Version=2.1'],
    ['application/taxii+json;version=2.1;q=0.5'],
    ['application/taxii+json;version=2.1, */*;q=0.1'],
    ['text/html, application/taxii+json;version=2.1'],
    ['application/taxii+json;version=2.0, application/taxii+json;version=2.1'],
    ['application/vnd.oasis.taxii+json; version=2.0, application/taxii+json; version=2.1'],
  ])('§3.1 %s is served', async accept => {
    expect((await ask(path, accept)).status).toBe(200);
  });

  it('§3.1 without a version, the highest one that is served comes', async () => {
    expect((await ask(path, 'application/taxii+json')).status).toBe(200);
  });

  it.each([
    ['application/taxii+json;version=2.0'],
    ['application/vnd.oasis.taxii+json; version=2.0'],
    ['application/taxii+json;version=9.9'],
    ['text/html'],
    ['application/json'],
  ])('§3.1 %s is served as TAXII, or is 406', async accept => {
    expect([200, 406]).toContain((await ask(path, accept)).status);
  });
});

describe('negotiation', () => {
  it('§5.3, interop 3.6.1: the manifest is asked for with both media types', async () => {
    for (const accept of [
      'application/taxii+json;version=2.1,application/stix+json;version=2.1',
      'application/stix+json;version=2.1, application/taxii+json;version=2.1',
    ])
      expect((await get(`${shared}manifest/?limit=1`, { headers: { accept } })).status).toBe(200);
  });

  it('§3.1 a request without Accept is treated alike everywhere: served, or 406', async () => {
    const statuses = await Promise.all(endpoints.map(async ([, path]) => (await ask(path, undefined)).status));
    expect(new Set(statuses).size).toBe(1);
    expect([200, 406]).toContain(statuses[0]);
  });

  it.each([taxii, 'application/taxii+json; version=2.1', 'application/taxii+json;version="2.1"'])(
    '§3.1 a POST with Content-Type %s is not 415',
    async contentType => {
      const answer = await post(shared, { objects: [indicator()] }, { headers: { 'content-type': contentType } });
      expect(answer.status).toBe(202);
    },
  );

  it.each([
    'text/plain',
    'application/json',
    'application/taxii+json;version=2.0',
    'multipart/form-data',
    'nonsense',
    undefined,
  ])('§3.1 a POST with Content-Type %s is processed, or is 415', async contentType => {
    const answer = await post(shared, { objects: [indicator()] }, { headers: { 'content-type': contentType } });
    expect([202, 415]).toContain(answer.status);
  });

  it('§3.1 a POST with an Accept that is not served is refused before anything is stored, or served', async () => {
    const object = indicator();
    const { status } = await post(shared, { objects: [object] }, { headers: { accept: 'text/html' } });
    expect([202, 406]).toContain(status);
    expect((await get(`${shared}objects/${object.id}/`)).status).toBe(status === 202 ? 200 : 404);
  });

  it('§3.1 errors are TAXII whatever the client accepts', async () => {
    const { status } = await get('collections/00000000-0000-4000-8000-000000000000/', {
      headers: { accept: 'text/html' },
    });
    expect([404, 406]).toContain(status);
  });
});
