import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { promisify } from 'node:util';
import { decodeJwt, SignJWT } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSigningKey } from '../../src/auth/signing-keys.ts';
import { revokeToken } from '../../src/auth/tokens.ts';
import { operator } from '../../src/db/audit.ts';
import { type CollectionRow, insertApiRoot } from '../../src/db/collections.ts';
import { type PartnerRow, setPartnerState } from '../../src/db/partners.ts';
import { countLockWaits, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
const object = indicator();

beforeAll(async () => {
  hub = await startTestHub();
  await insertApiRoot(hub.hub.db, { slug: 'aviation', title: 'Aviation', description: 'Airports and airlines' });
  await hub.addCollection({ alias: 'open', id: 'b0000000-0000-4000-8000-000000000000' });
  await hub.addCollection({ alias: 'inbox', id: 'a0000000-0000-4000-8000-000000000000' });
  await hub.addCollection({ alias: 'airports', apiRoot: 'aviation' });
  const writer = await hub.tokenFor(await hub.addPartner('writer'), 'collection:open:write');
  await hub.post(writer, '/hub/collections/open/objects/', { objects: [object] });
});
afterAll(() => hub.close());

const tokenWith = async (scope: string) => hub.tokenFor(await hub.addPartner(), scope);

describe('discovery', () => {
  it('lists the API roots in which the caller has a collection, the default first', async () => {
    const token = await tokenWith('collection:*:read');
    expect((await hub.get(token, '/taxii2/')).json()).toMatchObject({
      default: '/hub/',
      api_roots: ['/hub/', '/aviation/'],
    });
    const pilot = await tokenWith('collection:airports:read');
    expect((await hub.get(pilot, '/taxii2/')).json()).toMatchObject({
      default: '/aviation/',
      api_roots: ['/aviation/'],
    });
    const nobody = (await hub.get(await tokenWith('collection:gone:read'), '/taxii2/')).json();
    expect(nobody).not.toHaveProperty('api_roots');
    expect(nobody).not.toHaveProperty('default');
  });

  it('advertises PUBLIC_URL where it is set', async () => {
    const behindProxy = await startTestHub({ publicUrl: 'https://cti.example/share' });
    await behindProxy.addCollection({ alias: 'one' });
    const token = await behindProxy.tokenFor(await behindProxy.addPartner(), 'collection:one:read');
    expect((await behindProxy.get(token, '/taxii2/')).json().api_roots).toEqual(['https://cti.example/share/hub/']);
    await behindProxy.close();
  });
});

describe('an API root', () => {
  it('is described', async () => {
    const answer = await hub.get(await tokenWith('collection:airports:read'), '/aviation/');
    expect(answer.json()).toEqual({
      title: 'Aviation',
      description: 'Airports and airlines',
      versions: [taxii],
      max_content_length: 32 * 1024 * 1024,
    });
  });

  it('is not there for who has no collection in it, like one that does not exist', async () => {
    const token = await tokenWith('collection:open:read');
    const [closed, unknown] = [await hub.get(token, '/aviation/'), await hub.get(token, '/unknown/')];
    expect(closed.statusCode).toBe(404);
    expect({ ...closed.json(), error_id: '' }).toEqual({ ...unknown.json(), error_id: '' });
    expect((await hub.get(token, '/aviation/collections/')).statusCode).toBe(404);
  });
});

describe('collections', () => {
  it('are none, in the default API root, for who has none', async () => {
    const token = await tokenWith('collection:airports:read');
    expect((await hub.get(token, '/hub/collections/')).body).toBe('{}');
    expect((await hub.get(token, '/hub/')).statusCode).toBe(200);
  });

  it('are those of the caller with its rights, ordered by id', async () => {
    const token = await tokenWith('collection:open:read collection:inbox:write');
    const { collections } = (await hub.get(token, '/hub/collections/')).json();
    expect(collections).toEqual([
      {
        id: 'a0000000-0000-4000-8000-000000000000',
        title: 'Title of inbox',
        alias: 'inbox',
        can_read: false,
        can_write: true,
        media_types: ['application/stix+json;version=2.1'],
      },
      expect.objectContaining({ alias: 'open', can_read: true, can_write: false }),
    ]);
    expect((await hub.get(token, '/hub/collections/inbox/')).json()).toEqual(collections[0]);
  });

  it('are found only in their own API root', async () => {
    const token = await tokenWith('collection:*:read');
    expect((await hub.get(token, '/hub/collections/airports/')).statusCode).toBe(404);
    expect((await hub.get(token, '/aviation/collections/airports/')).statusCode).toBe(200);
  });
});

describe('what a right opens', () => {
  const reads = ['', 'manifest/', 'objects/', `objects/${object.id}/`, `objects/${object.id}/versions/`];
  const answers = async (scope: string) => {
    const token = await tokenWith(scope);
    const base = '/hub/collections/open/';
    const statuses = await Promise.all(reads.map(async path => (await hub.get(token, base + path)).statusCode));
    const post = await hub.post(token, `${base}objects/`, { objects: [indicator()] });
    const remove = await hub.request(token, { method: 'DELETE', url: `${base}objects/${object.id}/` });
    return { statuses, post: post.statusCode, delete: remove.statusCode };
  };

  it('neither: the collection is not there', async () => {
    expect(await answers('collection:inbox:read')).toEqual({
      statuses: [404, 404, 404, 404, 404],
      post: 404,
      delete: 404,
    });
  });
  it('read alone', async () => {
    expect(await answers('collection:open:read')).toEqual({
      statuses: [200, 200, 200, 200, 200],
      post: 403,
      delete: 403,
    });
  });
  it('write alone', async () => {
    expect(await answers('collection:open:write')).toEqual({
      statuses: [200, 403, 403, 403, 403],
      post: 202,
      delete: 403,
    });
  });
  it('both: DELETE acts, and finds nothing of this partner', async () => {
    expect(await answers('collection:*:read collection:open:write')).toEqual({
      statuses: [200, 200, 200, 200, 200],
      post: 202,
      delete: 404,
    });
  });
});

describe('a credential', () => {
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const ask = (authorization?: string) =>
    hub.app.inject({ url: '/taxii2/', headers: { accept: taxii, ...(authorization && { authorization }) } });

  it('goes as Bearer, as Token, and as password of Basic, in any letter case', async () => {
    const partner = await hub.addPartner('speaker');
    const token = await hub.tokenFor(partner, 'collection:open:read');
    for (const value of [
      `Bearer ${token}`,
      `bearer ${token}`,
      `Token ${token}`,
      basic('speaker', token),
      basic('', token).replace('Basic', 'basic'),
    ]) {
      expect((await ask(value)).statusCode).toBe(200);
    }
    expect((await ask(basic('writer', token))).statusCode).toBe(401);
  });

  it('missing or wrong is 401 with challenges and a TAXII error, whatever was asked for', async () => {
    for (const authorization of [undefined, 'Bearer x', 'Bearer a.b.c', basic('speaker', 'x'), 'Negotiate x']) {
      const answer = await ask(authorization);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toEqual([
        'Bearer realm="taxiway"',
        'Basic realm="taxiway", charset="UTF-8"',
      ]);
      expect(answer.headers['content-type']).toBe(taxii);
    }
    for (const url of ['/hub/', '/unknown/', '/hub/collections/open/objects/', '/hub/status/x/']) {
      expect((await hub.request(undefined, { method: 'GET', url })).statusCode).toBe(401);
    }
  });

  it('stops with its expiry, its revocation, and its partner', async () => {
    const partner = await hub.addPartner('short-lived');
    const expired = await hub.tokenFor(partner, 'collection:open:read', -1000);
    expect((await ask(`Bearer ${expired}`)).json().description).toMatch(/expired/);

    const token = await hub.tokenFor(partner, 'collection:open:read');
    expect((await ask(`Bearer ${token}`)).statusCode).toBe(200);
    const jti = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()).jti;
    await setPartnerState(hub.hub.db, 'short-lived', 'disabled');
    await expect.poll(async () => (await ask(`Bearer ${token}`)).statusCode, { timeout: 2000 }).toBe(401);
    await setPartnerState(hub.hub.db, 'short-lived', 'enabled');
    expect((await ask(`Bearer ${token}`)).statusCode).toBe(200);
    await hub.hub.db.transaction().execute(tx => revokeToken(tx, operator, jti));
    await expect.poll(async () => (await ask(`Bearer ${token}`)).statusCode, { timeout: 2000 }).toBe(401);
  });

  it('is refused with another algorithm, issuer, audience, key or without what is needed', async () => {
    const { issuer, verifyingKeys } = hub.hub.identity;
    const signingKey = await hub.hub.db.transaction().execute(readSigningKey);
    const claims = { scope: 'collection:*:read' };
    const make = (payload: object = {}, kid = signingKey.kid) =>
      new SignJWT({
        ...claims,
        iss: issuer,
        aud: issuer,
        sub: 'writer',
        jti: '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10',
        exp: Math.floor(Date.now() / 1000) + 3600,
        ...payload,
      })
        .setProtectedHeader({ alg: 'EdDSA', kid })
        .sign(signingKey.key);
    const secret = new TextEncoder().encode(JSON.stringify((await verifyingKeys()).published));
    const forged = [
      await make(), // signed by the hub, but never issued
      await make({ iss: 'urn:uuid:other' }),
      await make({ aud: 'urn:uuid:other' }),
      await make({ exp: undefined }),
      await make({ jti: undefined }),
      await make({ scope: undefined }),
      await make({}, 'other'),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: signingKey.kid })
        .setIssuer(issuer)
        .sign(secret),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ ...claims, iss: issuer })).toString('base64url')}.`,
    ];
    for (const token of forged) expect((await ask(`Bearer ${token}`)).statusCode).toBe(401);
  });

  it('can be verified with the published key alone, which has no private part', async () => {
    const { keys } = (await hub.app.inject('/.well-known/jwks.json')).json();
    expect(keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: expect.any(String), alg: 'EdDSA', use: 'sig' },
    ]);
  });

  it('is in no log line', async () => {
    const token = await tokenWith('collection:open:read');
    await hub.get(token, '/taxii2/');
    await ask(basic('speaker', token));
    await ask('Bearer not-a-token-but-a-secret');
    expect(hub.log.length).toBeGreaterThan(0);
    expect(hub.log.join('\n')).not.toContain(token.slice(-40));
    expect(hub.log.join('\n')).not.toMatch(/not-a-token|authorization/i);
  });
});

describe('Accept', () => {
  it.each([
    [taxii, 200],
    ['application/taxii+json', 200],
    ['application/taxii+json; version=2.1', 200],
    ['application/taxii+json; version="2.1"', 200],
    ['application/taxii+json;version=2.1,application/stix+json;version=2.1', 200],
    ['application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1;q=0.5', 200],
    ['application/taxii+json;version=2.1;charset=utf-8', 200],
    ['', 200],
    ['*/*', 200],
    ['application/*', 200],
    ['application/vnd.oasis.taxii+json; version=2.0', 406],
    ['application/taxii+json;version=2.0', 406],
    ['text/html', 406],
  ])('%s is %i', async (accept, status) => {
    const token = await tokenWith('collection:open:read');
    const answer = await hub.request(token, {
      method: 'GET',
      url: '/hub/collections/open/manifest/',
      headers: { accept },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe(taxii);
  });

  it('may be missing, and a Content-Type on GET is ignored', async () => {
    const authorization = `Bearer ${await tokenWith('collection:open:read')}`;
    const headers = { authorization, 'content-type': 'text/plain' };
    expect((await hub.app.inject({ url: '/hub/', headers })).statusCode).toBe(200);
  });
});

describe('an upload that is still on its way', () => {
  it.each([
    ['the token is revoked', 401, (one: TestHub, jti: string) => revoke(one, jti)],
    ['the grant is removed', 404, (one: TestHub, _: string, whose: Whose) => one.revokeGrant(...whose)],
  ])('adds nothing when %s meanwhile', async (_, status, take) => {
    // As large as all bodies under way together may be, so that another one is told when this one has been let in.
    const slow = await startTestHub({ bodyBytesMax: 4096, bodyBytesInFlightMax: 4096 });
    try {
      const whose: Whose = [await slow.addPartner(), await slow.addCollection({ alias: 'open' })];
      const token = await slow.tokenFor(whose[0], 'collection:open:read collection:open:write');
      const url = '/hub/collections/open/objects/';
      const origin = await slow.app.listen({ port: 0, host: '127.0.0.1' });
      const headers = { authorization: `Bearer ${token}`, 'content-type': taxii };
      const upload = httpRequest(`${origin}${url}`, { method: 'POST', headers });
      const answered = once(upload, 'response');
      upload.write('{"objects":[');
      // Nodes tell each other what they have counted when it has been let in.
      await expect.poll(() => countRequests(slow), { timeout: 10_000 }).toBe(1);
      expect((await slow.post(token, url, { objects: [] })).statusCode).toBe(503);
      await take(slow, decodeJwt(token).jti as string, whose);
      // A verified token is believed for a second.
      await expect.poll(async () => (await slow.get(token, url)).statusCode, { timeout: 3000 }).toBe(status);
      upload.end(`${JSON.stringify(indicator())}]}`);
      const [answer] = await answered;
      answer.resume();
      expect(answer.statusCode).toBe(status);
    } finally {
      await slow.close();
    }
  });

  it('takes nothing from others when its client hangs up before the hub knows who it is', async () => {
    const slow = await startTestHub({ bodyBytesMax: 4096, bodyBytesInFlightMax: 4096 });
    try {
      await slow.addCollection({ alias: 'open' });
      const token = await slow.tokenFor(await slow.addPartner(), 'collection:open:write');
      const url = '/hub/collections/open/objects/';
      const origin = await slow.app.listen({ port: 0, host: '127.0.0.1' });
      await slow.hub.db.transaction().execute(async tx => {
        await sql`lock table token in access exclusive mode`.execute(tx);
        const headers = { authorization: `Bearer ${token}`, 'content-type': taxii };
        const upload = httpRequest(`${origin}${url}`, { method: 'POST', headers }).on('error', () => {});
        upload.write('{"objects":[');
        await expect.poll(() => countLockWaits(slow)).toBe(1);
        upload.destroy();
        await expect.poll(() => promisify(slow.app.server.getConnections.bind(slow.app.server))()).toBe(0);
      });
      for (let round = 0; round < 3; round += 1) {
        expect((await slow.post(token, url, { objects: [indicator()] })).statusCode).toBe(202);
      }
    } finally {
      await slow.close();
    }
  });

  const countRequests = async ({ hub }: TestHub) =>
    (await sql<{ requests: string }>`select requests from request_count`.execute(hub.db)).rows.reduce(
      (sum, { requests }) => sum + Number(requests),
      0,
    );
  const revoke = ({ hub }: TestHub, jti: string) => hub.db.transaction().execute(tx => revokeToken(tx, operator, jti));
});

type Whose = [partner: PartnerRow, collection: CollectionRow];
