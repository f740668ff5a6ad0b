import { randomUUID } from 'node:crypto';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { decodeJwt, SignJWT } from 'jose';
import { sql } from 'kysely';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret, makeSecret } from '../../src/auth/client-secrets.ts';
import {
  type Client,
  deleteClient,
  deleteExpiredAssertions,
  insertAssertion,
  insertClient,
} from '../../src/db/clients.ts';
import { type PartnerRow, setPartnerState } from '../../src/db/partners.ts';
import { deleteExpiredClientTokens, listTokens, setClientTokensRevoked } from '../../src/db/tokens.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { makeKey, type OutsideKey, rawToken, secondsFromNow } from '../support/issuer.ts';

const publicUrl = 'https://cti.example/share';
const endpoint = `${publicUrl}/oauth2/token`;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let hub: TestHub;
let node: FastifyInstance;
let bank: PartnerRow;
let key: OutsideKey;
let withSecret: { id: string; secret: string };
let withKeys: Client;

beforeAll(async () => {
  hub = await startTestHub({ publicUrl });
  node = await hub.addNode();
  for (const alias of ['open', 'inbox', 'closed']) await hub.addCollection({ alias });
  bank = await hub.addPartner('bank');
  await hub.tokenFor(bank, 'collection:open:read collection:open:write collection:inbox:write');
  key = await makeKey('client-key');
  withSecret = await addClient(bank);
  withKeys = await addKeyClient(bank, key);
});
afterAll(() => hub.close());

async function add(partner: PartnerRow, more: Partial<Client>): Promise<Client> {
  const client: Client = { id: randomUUID(), scope: null, secret: null, jwks_uri: null, jwks: null, ...more };
  await hub.hub.db.transaction().execute(tx => insertClient(tx, partner.id, client));
  return client;
}
async function addClient(partner: PartnerRow, scope: string | null = null) {
  const secret = makeSecret();
  const { id } = await add(partner, { scope, secret: await hashSecret(secret) });
  return { id, secret };
}
const addKeyClient = (partner: PartnerRow, { jwks }: OutsideKey) => add(partner, { jwks: JSON.stringify(jwks) });

interface Sent {
  app?: FastifyInstance;
  basic?: [user: string, password: string];
  headers?: Record<string, string>;
}
/** undefined leaves a parameter out */
function send(form: Record<string, string | undefined> | string, { app = hub.app, basic, headers }: Sent = {}) {
  const given = typeof form === 'string' ? form : Object.entries({ grant_type: 'client_credentials', ...form });
  const payload =
    typeof given === 'string'
      ? given
      : new URLSearchParams(given.filter((entry): entry is [string, string] => entry[1] !== undefined)).toString();
  const authorization = basic && `Basic ${Buffer.from(basic.join(':')).toString('base64')}`;
  return app.inject({
    method: 'POST',
    url: '/oauth2/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization && { authorization }),
      ...headers,
    },
    payload,
  });
}
const sendSecret = (more: Record<string, string | undefined> = {}) =>
  send({ client_id: withSecret.id, client_secret: withSecret.secret, ...more });
const assertionClaims = (more: Record<string, unknown> = {}) => ({
  iss: withKeys.id,
  sub: withKeys.id,
  aud: endpoint,
  exp: secondsFromNow(60),
  jti: randomUUID(),
  ...more,
});
const sendAssertion = (assertion: string, more: Record<string, string | undefined> = {}, app = hub.app) =>
  send({ client_assertion_type: assertionType, client_assertion: assertion, ...more }, { app });
const ask = async (token: string, alias = 'open') =>
  (await hub.get(token, `/hub/collections/${alias}/objects/`)).statusCode;

function expectRefusal(answer: LightMyRequestResponse, status: number, error: string) {
  expect({ status: answer.statusCode, ...answer.json() }).toEqual({
    status,
    error,
    // RFC 6749 §5.2: no quotes, no backslashes, ASCII alone.
    error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/),
  });
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(answer.headers['cache-control']).toBe('no-store');
}

describe('a client', () => {
  it('gets a token with its secret, in the body or by Basic, for all that is granted', async () => {
    const { id, secret } = withSecret;
    for (const answer of [
      await sendSecret(),
      await send({}, { basic: [id, secret] }),
      await send({ client_id: id, scope: '' }, { basic: [id, secret], headers: { accept: 'application/json' } }),
    ]) {
      expect(answer.statusCode).toBe(200);
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
      expect(answer.json()).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 600,
        scope: expect.any(String),
      });
      const { access_token, scope } = answer.json();
      expect(scope.split(' ').sort()).toEqual([
        'collection:inbox:write',
        'collection:open:read',
        'collection:open:write',
      ]);
      expect(await ask(access_token)).toBe(200);
      expect(decodeJwt(access_token)).toMatchObject({ sub: 'bank', client_id: id, scope });
    }
  });

  it('gets one with an assertion that it signed, for the token endpoint or the issuer', async () => {
    for (const aud of [endpoint, publicUrl, [endpoint]]) {
      const answer = await sendAssertion(await key.sign(assertionClaims({ aud, iat: secondsFromNow(0) })));
      expect(answer.json()).toMatchObject({ token_type: 'Bearer' });
      expect(await ask(answer.json().access_token)).toBe(200);
    }
  });

  it('gets what it asks for and no more; its tokens are kept and told of in the audit log', async () => {
    const answer = await sendSecret({ scope: 'collection:open:read' });
    const { access_token, scope } = answer.json();
    expect(scope).toBe('collection:open:read');
    const { jti, exp, iat } = decodeJwt(access_token) as { jti: string; exp: number; iat: number };
    expect(exp - iat).toBe(600);
    expect((await listTokens(hub.hub.db)).find(token => token.jti === jti)).toMatchObject({
      partner: 'bank',
      client_id: withSecret.id,
      scope,
    });
    const entries = await hub.hub.db.selectFrom('audit').selectAll().where('details', 'like', `%${jti}%`).execute();
    expect(entries).toEqual([
      expect.objectContaining({
        action: 'token-issued',
        actor: 'bank',
        token: `client:${withSecret.id}`,
        request_id: answer.headers['x-request-id'],
      }),
    ]);
  });

  it('gets no more than was granted, or than the operator lets it ask for', async () => {
    const reader = await addClient(bank, 'collection:open:read');
    const asReader = (scope?: string) => send({ client_id: reader.id, client_secret: reader.secret, scope });
    for (const answer of [
      await sendSecret({ scope: 'collection:closed:read' }),
      await sendSecret({ scope: 'collection:open:read collection:inbox:read' }),
      await sendSecret({ scope: 'collection:none:read' }),
      await sendSecret({ scope: 'openid' }),
      await sendSecret({ scope: '"\\\u0000' }),
      await asReader('collection:open:write'),
      await asReader('collection:*:write'),
    ]) {
      expectRefusal(answer, 400, 'invalid_scope');
    }
    expect((await asReader()).json().scope).toBe('collection:open:read');
    expect((await asReader('collection:*:read')).json().scope).toBe('collection:open:read');
    expect((await sendSecret({ scope: 'collection:*:read' })).json().scope).toBe('collection:*:read');
    const nobody = await addClient(await hub.addPartner());
    expectRefusal(await send({}, { basic: [nobody.id, nobody.secret] }), 400, 'unauthorized_client');
  });

  it('that is removed gets no more tokens, and those it has stop', async () => {
    const client = await addClient(bank);
    const get = () => send({}, { basic: [client.id, client.secret], app: node });
    const { access_token } = (await get()).json();
    expect(await ask(access_token)).toBe(200);
    await hub.hub.db.transaction().execute(async tx => {
      await deleteClient(tx, client.id);
      await setClientTokensRevoked(tx, client.id);
    });
    expectRefusal(await get(), 401, 'invalid_client');
    await expect.poll(() => ask(access_token), { timeout: 2000 }).toBe(401);
  });

  it('of a disabled partner gets none, at once', async () => {
    const partner = await hub.addPartner('shut');
    await hub.tokenFor(partner, 'collection:open:read');
    const client = await addClient(partner);
    const get = () => send({}, { basic: [client.id, client.secret] });
    expect((await get()).statusCode).toBe(200);
    await setPartnerState(hub.hub.db, 'shut', 'disabled');
    expectRefusal(await get(), 401, 'invalid_client');
  });
});

describe('a request is refused', () => {
  it('alike whether there is no such client or its secret is another', async () => {
    const { id, secret } = withSecret;
    const shapes = (answer: LightMyRequestResponse) => {
      const { date: _, 'x-request-id': __, ...headers } = answer.headers;
      return { status: answer.statusCode, headers, body: answer.body };
    };
    const pairs: [string, string][] = [
      [id, 'wrong'],
      [id, ''],
      [id, `${secret}x`],
      [id, 'x'.repeat(20_000)],
      [randomUUID(), secret],
      [withKeys.id, secret],
      ["' or ''='", secret],
      ['\u0000', secret],
    ];
    const answers = await Promise.all(pairs.map(basic => send({}, { basic })));
    const [first, ...others] = answers.map(shapes);
    expectRefusal(answers[0] as LightMyRequestResponse, 401, 'invalid_client');
    expect(first?.headers['www-authenticate']).toBe('Basic realm="taxiway", charset="UTF-8"');
    for (const other of others) expect(other).toEqual(first);
    const known = shapes(await sendSecret({ client_secret: 'wrong' }));
    expect(known.headers).not.toHaveProperty('www-authenticate');
    expect(shapes(await sendSecret({ client_id: randomUUID() }))).toEqual(known);
    expect(known.body).toBe(first?.body);
    expect(hub.log.join('\n')).not.toContain(secret);
  });

  it.each<[string, number, string, Record<string, string | undefined> | string, Sent?]>([
    ['no body', 400, 'invalid_request', ''],
    ['no grant type', 400, 'invalid_request', { grant_type: undefined }],
    ['another grant type', 400, 'unsupported_grant_type', { grant_type: 'password' }],
    ['no client', 401, 'invalid_client', {}],
    ['no secret', 401, 'invalid_client', { client_id: randomUUID() }],
    ['a parameter twice', 400, 'invalid_request', 'grant_type=client_credentials&scope=a&scope=a'],
    ['two ways at once', 400, 'invalid_request', { client_secret: 'x', client_id: 'x' }, { basic: ['x', 'x'] }],
    ['another client than in Basic', 400, 'invalid_request', { client_id: 'y' }, { basic: ['x', 'x'] }],
    ['a scheme that is not Basic', 401, 'invalid_client', {}, { headers: { authorization: 'Bearer x' } }],
    ['an assertion of no type', 400, 'invalid_request', { client_assertion: 'x' }],
    ['JSON', 415, 'invalid_request', '{}', { headers: { 'content-type': 'application/json' } }],
    ['TAXII', 415, 'invalid_request', '{}', { headers: { 'content-type': taxii } }],
    ['too much', 413, 'invalid_request', `scope=${'x'.repeat(65_536)}`],
  ])('for %s', async (_, status, error, form, sent) => {
    expectRefusal(await send(form, sent), status, error);
  });

  it('for a while where too many secrets are to be compared', async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => send({}, { basic: [randomUUID(), 'x'] })));
    const busy = answers.filter(answer => answer.statusCode === 503);
    expect(busy.length).toBeGreaterThan(0);
    expectRefusal(busy[0] as LightMyRequestResponse, 503, 'temporarily_unavailable');
    expect(busy[0]?.headers['retry-after']).toBe('5');
    expect((await sendSecret()).statusCode).toBe(200);
  });
});

describe('an assertion', () => {
  const isRefused = async (assertion: string, more: Record<string, string | undefined> = {}) =>
    expectRefusal(await sendAssertion(assertion, more), 401, 'invalid_client');

  it('is good once, on whichever node', async () => {
    const first = await key.sign(assertionClaims());
    expect((await sendAssertion(first)).statusCode).toBe(200);
    await isRefused(first);
    expectRefusal(await sendAssertion(first, {}, node), 401, 'invalid_client');
    // The same jti in another assertion.
    const claims = assertionClaims();
    expect((await sendAssertion(await key.sign(claims), {}, node)).statusCode).toBe(200);
    await isRefused(await key.sign({ ...claims, exp: secondsFromNow(90) }));
    const both = await key.sign(assertionClaims());
    const answers = await Promise.all([sendAssertion(both), sendAssertion(both, {}, node)]);
    expect(answers.map(answer => answer.statusCode).sort()).toEqual([200, 401]);
    // Another client may use the same jti.
    const otherKey = await makeKey('other');
    const { id } = await addKeyClient(bank, otherKey);
    const same = await otherKey.sign({ ...claims, iss: id, sub: id, exp: secondsFromNow(60) });
    expect((await sendAssertion(same)).statusCode).toBe(200);
  });

  it('must be for this hub alone, near, complete, and of the client that it names', async () => {
    const otherKey = await makeKey('client-key');
    const other = await addKeyClient(bank, otherKey);
    const secret = JSON.stringify(key.jwks.keys[0]);
    for (const assertion of [
      await otherKey.sign(assertionClaims()),
      await key.sign(assertionClaims({ sub: other.id })),
      await key.sign(assertionClaims({ iss: other.id })),
      await key.sign(assertionClaims({ iss: 'bank', sub: 'bank' })),
      await key.sign(assertionClaims({ sub: undefined })),
      await key.sign(assertionClaims({ sub: withSecret.id, iss: withSecret.id })),
      await key.sign(assertionClaims({ sub: randomUUID() })),
      await key.sign(assertionClaims({ aud: 'https://other.example/token' })),
      await key.sign(assertionClaims({ aud: [endpoint, 'https://other.example/token'] })),
      await key.sign(assertionClaims({ aud: undefined })),
      await key.sign(assertionClaims({ aud: hub.hub.identity.issuer })),
      await key.sign(assertionClaims({ exp: secondsFromNow(3600) })),
      await key.sign(assertionClaims({ exp: 1e300 })),
      await key.sign(assertionClaims({ exp: secondsFromNow(-60) })),
      await key.sign(assertionClaims({ exp: undefined })),
      await key.sign(assertionClaims({ jti: undefined })),
      await key.sign(assertionClaims({ iat: secondsFromNow(120) })),
      await key.sign(assertionClaims({ nbf: secondsFromNow(120) })),
      await new SignJWT(assertionClaims())
        .setProtectedHeader({ alg: 'HS256', kid: 'client-key' })
        .sign(new TextEncoder().encode(secret)),
      rawToken({ alg: 'none' }, assertionClaims()),
      rawToken({ alg: 'ES256' }, { sub: withKeys.id }, 'AA'),
      'a.b.c',
      'x',
    ]) {
      await isRefused(assertion);
    }
    await isRefused(await key.sign(assertionClaims()), { client_id: other.id });
    expect((await sendAssertion(await key.sign(assertionClaims()), { client_id: withKeys.id })).statusCode).toBe(200);
  });

  it('is forgotten after its time, as are the tokens of clients', async () => {
    const { db } = hub.hub;
    await insertAssertion(db, Buffer.from('old'), '2020-01-01T00:00:00.000000Z');
    await insertAssertion(db, Buffer.from('new'), '2999-01-01T00:00:00.000000Z');
    expect(await deleteExpiredAssertions(db)).toBe(1);
    const left = await db.selectFrom('client_assertion').select('digest').execute();
    expect(left).toContainEqual({ digest: Buffer.from('new') });
    const lasting = await hub.tokenFor(bank, 'collection:open:read', -3 * 86_400_000);
    await sendSecret();
    const before = (await listTokens(db)).filter(token => token.client_id !== null).length;
    await sql`update token set expires_at = now() - interval '23 hours' where client_id is not null`.execute(db);
    expect(await deleteExpiredClientTokens(db)).toBe(0);
    await sql`update token set expires_at = now() - interval '25 hours' where client_id is not null`.execute(db);
    expect(await deleteExpiredClientTokens(db)).toBe(before);
    expect((await listTokens(db)).map(({ jti }) => jti)).toContain(decodeJwt(lasting).jti);
  });
});

describe('/.well-known/oauth-authorization-server', () => {
  it('says where tokens are, by PUBLIC_URL whatever the Host', async () => {
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    const answer = await hub.app.inject({ url: '/.well-known/oauth-authorization-server', headers });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json()).toMatchObject({
      issuer: publicUrl,
      token_endpoint: endpoint,
      jwks_uri: `${publicUrl}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      tls_client_certificate_bound_access_tokens: true,
    });
    expect(answer.json().token_endpoint_auth_signing_alg_values_supported).not.toContainEqual(
      expect.stringMatching(/^(HS|none)/i),
    );
  });

  it('is enough for a client library of other people, with each way to authenticate', async () => {
    const first = await startTestHub();
    try {
      await first.addCollection({ alias: 'open' });
      const partner = await first.addPartner('bank');
      await first.tokenFor(partner, 'collection:open:read');
      const secret = makeSecret();
      const clients: Client[] = [
        { id: randomUUID(), scope: null, secret: await hashSecret(secret), jwks_uri: null, jwks: null },
        { id: randomUUID(), scope: null, secret: null, jwks_uri: null, jwks: JSON.stringify(key.jwks) },
      ];
      for (const client of clients) {
        await first.hub.db.transaction().execute(tx => insertClient(tx, partner.id, client));
      }
      const [{ id: secretId }, { id: keyId }] = clients as [Client, Client];
      const server = new URL(await first.app.listen({ port: 0, host: '127.0.0.1' }));
      const options = { algorithm: 'oauth2' as const, execute: [openid.allowInsecureRequests] };
      for (const [id, authentication] of [
        [secretId, openid.ClientSecretBasic(secret)],
        [secretId, openid.ClientSecretPost(secret)],
        [keyId, openid.PrivateKeyJwt({ key: key.key, kid: key.kid })],
      ] as const) {
        const found = await openid.discovery(server, id, undefined, authentication, options);
        const { access_token, scope } = await openid.clientCredentialsGrant(found, { scope: 'collection:open:read' });
        expect(scope).toBe('collection:open:read');
        expect((await first.get(access_token, '/hub/collections/open/objects/')).statusCode).toBe(200);
      }
      const wrong = await openid.discovery(server, secretId, undefined, openid.ClientSecretPost('wrong'), options);
      await expect(openid.clientCredentialsGrant(wrong)).rejects.toMatchObject({ error: 'invalid_client' });
    } finally {
      await first.close();
    }
  });

  it('does not repeat a Host that is none', async () => {
    const first = await startTestHub();
    const url = '/.well-known/oauth-authorization-server';
    const answer = await first.app.inject({ url, headers: { host: 'x"><script>' } });
    expect(answer.json()).toMatchObject({ error: 'invalid_request' });
    expect(answer.body).not.toContain('<');
    expect((await first.app.inject({ url, headers: { host: '[::1]:8080' } })).json().issuer).toBe('http://[::1]:8080');
    await first.close();
  });
});

it('a client that asks for tokens without end is told to use those that it has', async () => {
  const greedy = await addClient(bank);
  await sql`insert into token (jti, partner_id, scope, kid, client_id, issued_at, expires_at)
    select gen_random_uuid(), ${bank.id}, 'collection:open:read', kid, ${greedy.id}, now(), now() + interval '10 minutes'
    from signing_key, generate_series(1, 499) where superseded_at is null`.execute(hub.hub.db);
  const ask = () => send({ client_id: greedy.id, client_secret: greedy.secret });
  expect((await ask()).statusCode).toBe(200);
  const refused = await ask();
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('600');
  expect(refused.json()).toEqual({ error: 'temporarily_unavailable', error_description: expect.stringMatching(/500/) });
});
