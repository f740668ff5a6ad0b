import { randomUUID } from 'node:crypto';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { get, hidden, post, readOnly, remove, request, shared, taxii } from './support/client.ts';
import { indicator } from './support/stix.ts';
import { target } from './support/target.ts';

const objectId = `indicator--${randomUUID()}`;
const collectionEndpoints: [string, string][] = [
  ['GET', 'collections/'],
  ['GET', shared],
  ['GET', `${shared}manifest/`],
  ['GET', `${shared}objects/`],
  ['POST', `${shared}objects/`],
  ['GET', `${shared}objects/${objectId}/`],
  ['DELETE', `${shared}objects/${objectId}/`],
  ['GET', `${shared}objects/${objectId}/versions/`],
];
const wrongCredentials: [string, string | undefined][] = [
  ['no credential', undefined],
  ['an unknown user', `Basic ${Buffer.from(`nobody-${randomUUID()}:wrong`).toString('base64')}`],
  ['an unknown token', `Bearer ${randomUUID()}`],
  ['a credential cut short', target.client.slice(0, -8)],
  ['an unknown scheme', `Negotiate ${Buffer.from('x').toString('base64')}`],
  ['a header without a value', 'Basic'],
];

describe('authentication', () => {
  it('§1.6.9, interop 3.1.1: 401 with a challenge where there is no authorization', async () => {
    const answer = await get('', { as: 'nobody' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBeDefined();
  });

  it('§1.6.9, interop 3.1.2: 401 with a challenge where the authorization is wrong', async () => {
    const answer = await get('', { headers: { authorization: wrongCredentials[1]?.[1] } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBeDefined();
  });

  it('§8.2.2: Basic is among the challenges', async () => {
    const { headers } = await get('', { as: 'nobody' });
    expect(headers['www-authenticate']).toMatch(/(^|, *)Basic realm=/i);
  });

  it.skipIf(!target.basic)('§8.2.2, interop 3.1.4: HTTP Basic gives the discovery and the API root', async () => {
    const authorization = `Basic ${Buffer.from(target.basic ?? '').toString('base64')}`;
    expect((await request('/taxii2/', { headers: { authorization } })).status).toBe(200);
    expect((await get('', { headers: { authorization } })).status).toBe(200);
    expect((await get(`${shared}objects/?limit=1`, { headers: { authorization } })).status).toBe(200);
  });

  it.skipIf(!target.basic)('RFC 7617: the scheme of Basic is written in any case, as MISP does', async () => {
    for (const scheme of ['basic', 'BASIC']) {
      const authorization = `${scheme} ${Buffer.from(target.basic ?? '').toString('base64')}`;
      expect((await get('collections/', { headers: { authorization } })).status, scheme).toBe(200);
    }
  });

  describe.each(collectionEndpoints)('§5.1-5.8 %s %s', (method, path) => {
    it.each(wrongCredentials)('is 401 or 404 for %s', async (_what, authorization) => {
      const isPost = method === 'POST';
      const { status } = await get(path, {
        method,
        headers: { authorization, ...(isPost && { 'content-type': taxii }) },
        ...(isPost && { body: { objects: [indicator()] } }),
      });
      expect([401, 404]).toContain(status);
    });
  });

  it('§4.3: a status asks for authentication', async () => {
    expect([401, 404]).toContain((await get(`status/${randomUUID()}/`, { as: 'nobody' })).status);
  });

  it('App. B: without a credential, nobody learns which collections and API roots there are', async () => {
    const paths = [shared, readOnly, hidden, `collections/${randomUUID()}/`, `${shared}objects/`, `${hidden}objects/`];
    const answers = await Promise.all(paths.map(path => get(path, { as: 'nobody' })));
    const unknownRoot = await request(`/${randomUUID()}/`, { as: 'nobody' });
    const said = [...answers, unknownRoot].map(({ status, body }) => JSON.stringify({ status, ...body, error_id: '' }));
    expect(new Set(said).size).toBe(1);
  });

  it('a refused write is not carried out', async () => {
    const object = indicator();
    await post(shared, { objects: [object] }, { as: 'nobody' });
    await remove(`${shared}objects/${object.id}/`, { as: 'nobody' });
    expect((await get(`${shared}objects/${object.id}/`)).status).toBe(404);
  });

  it('§8.2.1: a client with or without User-Agent is served', async () => {
    expect((await request('/taxii2/')).status).toBe(200);
    expect((await request('/taxii2/', { headers: { 'user-agent': 'conformance/1.0' } })).status).toBe(200);
    expect((await request('/taxii2/', { headers: { 'user-agent': '' } })).status).toBe(200);
  });

  it.skipIf(!target.url.startsWith('https:'))('§8.2.2: TLS 1.2 is accepted', async () => {
    const { hostname, port } = new URL(target.url);
    const version = await new Promise((resolve, reject) => {
      const options = { host: hostname, port: Number(port || 443), servername: hostname };
      const socket = connect({ ...options, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, () => {
        resolve(socket.getProtocol());
        socket.end();
      });
      socket.on('error', reject);
    });
    expect(version).toBe('TLSv1.2');
  });
});
