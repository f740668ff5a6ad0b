import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { exportSPKI, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { partnerAlgorithms } from '../../src/auth/partner-keys.ts';
import { createVerifier } from '../../src/auth/verifier.ts';
import { deleteIssuer, type Issuer, insertIssuer } from '../../src/db/issuers.ts';
import { type PartnerRow, setPartnerState } from '../../src/db/partners.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { type Endpoint, makeKey, type OutsideKey, rawToken, secondsFromNow, serveHttp } from '../support/issuer.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
let node: FastifyInstance;
let bank: PartnerRow;
let police: PartnerRow;
let key: OutsideKey;
const login = 'https://login.bank.example/realms/cti';
const url = '/hub/collections/open/objects/';
const endpoints: Endpoint[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  node = await hub.addNode();
  await hub.addCollection({ alias: 'open' });
  await hub.addCollection({ alias: 'police-only' });
  [bank, police] = [await hub.addPartner('bank'), await hub.addPartner('police')];
  await hub.tokenFor(bank, 'collection:open:read collection:open:write');
  await hub.tokenFor(police, 'collection:police-only:read');
  key = await makeKey('key-1');
  await register(bank, { issuer: login, jwks: JSON.stringify(key.jwks) });
});
afterAll(async () => {
  await hub.close();
  await Promise.all(endpoints.map(endpoint => endpoint.close()));
});

async function register(partner: PartnerRow, issuer: Partial<Issuer> & { issuer: string }) {
  const { issuer: audience } = hub.hub.identity;
  const defaults = { jwks_uri: null, jwks: null, audience, scope_claim: 'scope', scope: null };
  const row = { ...defaults, algorithms: partnerAlgorithms, ...issuer };
  await hub.hub.db.transaction().execute(tx => insertIssuer(tx, partner.id, row));
}

const claims = (more: Record<string, unknown> = {}) => ({
  iss: login,
  aud: hub.hub.identity.issuer,
  sub: 'service-account-siem',
  exp: secondsFromNow(300),
  scope: 'collection:open:read',
  ...more,
});
const ask = (token: string, path = url, app = hub.app) =>
  app.inject({ url: path, headers: { accept: taxii, authorization: `Bearer ${token}` } });
const statusOf = async (token: string, path?: string, app?: FastifyInstance) =>
  (await ask(token, path, app)).statusCode;
const serve = async (answer: (response: ServerResponse) => void) => {
  const endpoint = await serveHttp((_request, response) => answer(response));
  endpoints.push(endpoint);
  return endpoint;
};
const notTrusted = {
  error_code: 'credential-invalid',
  description: 'The token is not one that the hub trusts. Send it whole, as it was issued.',
};

describe("a token of a partner's own issuer", () => {
  it('may expire at a fraction of a second (RFC 7519 §2)', async () => {
    const exp = secondsFromNow(300) + 0.5;
    const { credential } = (await ask(await key.sign(claims({ exp })), '/hub/me/')).json();
    expect(Date.parse(credential.expires_at)).toBe(1000 * Math.floor(exp));
  });

  it('works as one of the hub does, within the grants of the partner', async () => {
    // A registration is noticed within a second.
    await expect.poll(async () => statusOf(await key.sign(claims())), { timeout: 2000 }).toBe(200);
    const token = await key.sign(claims({ scope: 'openid collection:*:read collection:*:write email' }));
    expect(await statusOf(token)).toBe(200);
    expect(await statusOf(token, '/hub/collections/police-only/objects/')).toBe(404);
    const basic = Buffer.from(`bank:${token}`).toString('base64');
    const headers = { accept: taxii, authorization: `Basic ${basic}` };
    expect((await hub.app.inject({ url, headers })).statusCode).toBe(200);
    expect(await statusOf(await key.sign(claims({ scope: 'openid email' })))).toBe(404);
  });

  it('takes its scope from the claim that was registered, text or list, or from the operator', async () => {
    const entra = 'https://login.entra.example/tenant/v2.0';
    await register(bank, {
      issuer: entra,
      scope_claim: 'roles',
      jwks: JSON.stringify(key.jwks),
      audience: 'api://cti',
    });
    const fixed = 'https://fixed.bank.example';
    await register(bank, { issuer: fixed, scope: 'collection:open:read', jwks: JSON.stringify(key.jwks) });
    const roles = ['Directory.Read', 'collection:open:read', 7];
    const token = await key.sign(claims({ iss: entra, aud: ['api://cti', 'other'], scope: undefined, roles }));
    await expect.poll(() => statusOf(token), { timeout: 2000 }).toBe(200);
    const write = await key.sign(claims({ iss: fixed, scope: 'collection:open:write' }));
    expect(await statusOf(write)).toBe(200);
    expect((await hub.post(write, url, { objects: [indicator()] })).statusCode).toBe(403);
  });

  it('speaks for its own partner, whomever it names, and is named in the audit log by its jti', async () => {
    const more = { sub: 'police', azp: 'police', client_id: 'police', partner: 'police', jti: 'run-17' };
    const token = await key.sign(claims({ ...more, scope: 'collection:*:read collection:*:write' }));
    expect(await statusOf(token, '/hub/collections/police-only/objects/')).toBe(404);
    expect((await hub.post(token, url, { objects: [indicator()] })).statusCode).toBe(202);
    const jti = 'x\ny'.repeat(90);
    const odd = await key.sign(claims({ jti, scope: 'collection:*:read collection:*:write' }));
    expect((await hub.post(odd, url, { objects: [indicator()] })).statusCode).toBe(202);
    const entries = await hub.hub.db
      .selectFrom('audit')
      .select(['actor', 'token'])
      .where('action', '=', 'objects-added')
      .execute();
    expect(entries).toEqual([
      { actor: 'bank', token: 'issuer:run-17' },
      { actor: 'bank', token: expect.stringMatching(/^issuer-sha256:[\w-]{43}$/) },
    ]);
  });

  it('carries the certificate that it is bound to, and is refused where it is bound in another way', async () => {
    const verify = createVerifier(hub.hub.db, hub.hub.identity);
    const thumbprint = 'A'.repeat(43);
    const bound = await key.sign(claims({ cnf: { 'x5t#S256': thumbprint } }));
    expect(await verify(bound)).toMatchObject({ partner: 'bank', certificate: thumbprint });
    expect(await verify(await key.sign(claims()))).toMatchObject({ certificate: undefined });
    for (const cnf of [
      { jkt: thumbprint },
      { 'x5t#S256': 'short' },
      {},
      null,
      'x',
      { 'x5t#S256': thumbprint, jkt: 'x' },
    ]) {
      expect((await ask(await key.sign(claims({ cnf })))).json()).toMatchObject(notTrusted);
    }
  });
});

describe('a forged token', () => {
  it('gets the same answer as one of an unknown issuer', async () => {
    const trap = await serve(response => response.end(JSON.stringify(other.jwks)));
    const other = await makeKey('key-1');
    const otherKid = await makeKey('key-2', 'EdDSA');
    const [jwk] = key.jwks.keys;
    const publicKey = (await importJWK(jwk as object, 'ES256')) as Parameters<typeof exportSPKI>[0];
    const pem = await exportSPKI(publicKey);
    const hmac = (secret: string, alg: string) =>
      new SignJWT(claims()).setProtectedHeader({ alg, kid: 'key-1' }).sign(new TextEncoder().encode(secret));
    const forged = [
      await key.sign(claims({ iss: 'https://nobody.example' })),
      await key.sign(claims({ iss: `${login}/` })),
      await key.sign(claims({ iss: 'x'.repeat(10_000) })),
      await other.sign(claims()),
      await otherKid.sign(claims()),
      await otherKid.sign(claims(), { kid: 'key-1' }),
      await hmac(pem, 'HS256'),
      await hmac(JSON.stringify(jwk), 'HS256'),
      await hmac(JSON.stringify(key.jwks), 'HS512'),
      rawToken({ alg: 'none' }, claims()),
      rawToken({ alg: 'None', kid: 'key-1' }, claims()),
      rawToken({ alg: 'ES256', kid: 'key-1' }, claims(), 'AAAA'),
      rawToken({ alg: 'ES256', kid: { $ne: '' } }, claims(), 'A'.repeat(86)),
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', kid: 'key-1', crit: ['x'], x: 1 })
        .sign(key.key, { crit: { x: true } }),
      await key.sign(claims({ exp: 1e15 })),
      `${(await key.sign(claims())).slice(0, -6)}AAAAAA`,
      'a.b.c',
    ];
    for (const kid of [
      '../../key-1',
      "key-1' or '1'='1",
      trap.url,
      'k'.repeat(20_000),
      '',
      'constructor',
      '__proto__',
    ]) {
      forged.push(await other.sign(claims(), { kid }));
    }
    for (const header of [{ jku: trap.url }, { x5u: trap.url }, { jwk: other.jwks.keys[0] }, { x5c: ['MIIB'] }]) {
      forged.push(await other.sign(claims(), header), await other.sign(claims(), { ...header, kid: undefined }));
    }
    for (const token of forged) {
      const answer = await ask(token);
      expect({ token, status: answer.statusCode, ...answer.json() }).toMatchObject({ status: 401, ...notTrusted });
    }
    expect(trap.hits()).toBe(0);
    expect(hub.log.join('\n')).not.toContain((forged[3] as string).slice(-40));
  });

  it('of another algorithm than was registered is refused, though its key is there', async () => {
    const strict = 'https://strict.bank.example';
    const rsa = await makeKey('rsa', 'RS256');
    const jwks = JSON.stringify({ keys: [...key.jwks.keys, ...rsa.jwks.keys] });
    await register(bank, { issuer: strict, jwks, algorithms: ['ES256'] });
    const right = await key.sign(claims({ iss: strict }));
    await expect.poll(() => statusOf(right), { timeout: 2000 }).toBe(200);
    expect((await ask(await rsa.sign(claims({ iss: strict })))).json()).toMatchObject(notTrusted);
  });

  it('that is not meant for this hub, not good yet, or good for ever is refused', async () => {
    for (const wrong of [
      { aud: 'https://other.example' },
      { aud: undefined },
      { nbf: secondsFromNow(600) },
      { exp: undefined },
    ]) {
      expect((await ask(await key.sign(claims(wrong)))).json().description).toMatch(/not meant for this hub/);
    }
    expect((await ask(await key.sign(claims({ exp: secondsFromNow(-60) })))).json().description).toMatch(/expired/);
  });

  it("in the hub's own name is not looked up among the partners' issuers", async () => {
    const own = hub.hub.identity.issuer;
    await register(bank, { issuer: own, jwks: JSON.stringify(key.jwks), scope: 'collection:*:read' });
    const token = await key.sign(claims({ iss: own }));
    const real = await hub.tokenFor(bank, 'collection:open:read');
    const fresh = createVerifier(hub.hub.db, hub.hub.identity);
    await expect(fresh(token)).rejects.toMatchObject({ code: 'credential-invalid' });
    expect(await fresh(real)).toMatchObject({ partner: 'bank' });
    expect((await ask(token)).json()).toMatchObject(notTrusted);
  });
});

describe('keys that are published', () => {
  let issuers = 0;
  const registerAt = async (jwks_uri: string) => {
    const issuer = `https://issuer-${++issuers}.bank.example`;
    await register(bank, { issuer, jwks_uri });
    // Until every node has noticed.
    const known = await key.sign(claims({ iss: issuer }));
    const verify = createVerifier(hub.hub.db, hub.hub.identity);
    return { issuer, token: known, verify };
  };

  it.each<[string, (response: ServerResponse) => void]>([
    ['is silent', () => {}],
    [
      'drips',
      response => {
        const dripping = setInterval(() => response.write(' '), 100);
        response.on('close', () => clearInterval(dripping));
      },
    ],
    ['is huge', response => response.end(JSON.stringify({ ...key.jwks, more: ' '.repeat(10_000_000) }))],
    ['fails', response => response.writeHead(500).end(JSON.stringify(key.jwks))],
    ['is no JSON', response => response.end('<html>')],
    ['is no JWKS', response => response.end('[{"keys":1}]')],
    ['is empty', response => response.end()],
    ['hangs up', response => response.destroy()],
  ])('at an endpoint that %s are no keys, and it is left alone for a while', async (_, answer) => {
    const endpoint = await serve(answer);
    const { token, verify } = await registerAt(endpoint.url);
    const refused = { code: 'credential-invalid', message: notTrusted.description };
    await expect(verify(token)).rejects.toMatchObject(refused);
    await expect(verify(token)).rejects.toMatchObject(refused);
    expect(endpoint.hits()).toBe(1);
  });

  it('at an endpoint that redirects are not looked for elsewhere', async () => {
    const real = await serve(response => response.end(JSON.stringify(key.jwks)));
    for (const status of [301, 302, 303, 307, 308]) {
      const endpoint = await serve(response => response.writeHead(status, { location: real.url }).end());
      const { token, verify } = await registerAt(endpoint.url);
      await expect(verify(token)).rejects.toMatchObject({ code: 'credential-invalid' });
    }
    expect(real.hits()).toBe(0);
  });

  it('at an endpoint that is down are told of in the log alone', async () => {
    const endpoint = await serveHttp(() => {});
    await endpoint.close();
    const { token } = await registerAt(endpoint.url);
    await expect
      .poll(
        async () => {
          expect((await ask(token)).json()).toMatchObject(notTrusted);
          return hub.log.join('\n');
        },
        { timeout: 3000 },
      )
      .toContain(`the keys at ${endpoint.url} cannot be read`);
  });

  it('are fetched once, stay good while the endpoint is down, and follow its rotation', async () => {
    let answer = (response: ServerResponse) => void response.end(JSON.stringify(key.jwks));
    const endpoint = await serve(response => answer(response));
    const { issuer, token, verify } = await registerAt(endpoint.url);
    await Promise.all([verify(token), verify(token), verify(token)]);
    expect(endpoint.hits()).toBe(1);
    answer = response => void response.destroy();
    expect(await verify(token)).toMatchObject({ partner: 'bank' });

    const next = await makeKey('key-9');
    const rotated = await next.sign(claims({ iss: issuer }));
    await expect(verify(rotated)).rejects.toMatchObject({ code: 'credential-invalid' });
    answer = response => void response.end(JSON.stringify(next.jwks));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 40_000 });
    try {
      expect(await verify(rotated)).toMatchObject({ partner: 'bank' });
    } finally {
      vi.useRealTimers();
    }
    expect(endpoint.hits()).toBe(2);
  });

  it('that come when the issuer has been removed meanwhile are of no use', async () => {
    const issuer = 'https://slow.bank.example';
    const endpoint = await serve(async response => {
      await hub.hub.db.transaction().execute(tx => deleteIssuer(tx, bank.id, issuer));
      setTimeout(() => response.end(JSON.stringify(key.jwks)), 1200);
    });
    await register(bank, { issuer, jwks_uri: endpoint.url });
    const verify = createVerifier(hub.hub.db, hub.hub.identity);
    await expect(verify(await key.sign(claims({ iss: issuer })))).rejects.toMatchObject({ code: 'credential-invalid' });
    expect(endpoint.hits()).toBe(1);
  });
});

describe('an issuer', () => {
  it('that is removed, or whose partner is disabled, stops on every node within two seconds', async () => {
    const issuer = 'https://short.police.example';
    await register(police, { issuer, jwks: JSON.stringify(key.jwks) });
    const token = await key.sign(claims({ iss: issuer, scope: 'collection:*:read' }));
    const path = '/hub/collections/police-only/objects/';
    const statuses = () => Promise.all([statusOf(token, path), statusOf(token, path, node)]);
    await expect.poll(statuses, { timeout: 2000 }).toEqual([200, 200]);
    await setPartnerState(hub.hub.db, 'police', 'disabled');
    await expect.poll(statuses, { timeout: 2000 }).toEqual([401, 401]);
    await setPartnerState(hub.hub.db, 'police', 'enabled');
    await expect.poll(statuses, { timeout: 2000 }).toEqual([200, 200]);
    expect(await hub.hub.db.transaction().execute(tx => deleteIssuer(tx, bank.id, issuer))).toBe(false);
    expect(await hub.hub.db.transaction().execute(tx => deleteIssuer(tx, police.id, issuer))).toBe(true);
    await expect.poll(statuses, { timeout: 2000 }).toEqual([401, 401]);
  });

  it('belongs to one partner', async () => {
    await register(police, { issuer: login, jwks: JSON.stringify(key.jwks) });
    const token = await key.sign(claims({ scope: 'collection:*:read' }));
    expect(await createVerifier(hub.hub.db, hub.hub.identity)(token)).toMatchObject({ partner: 'bank' });
  });
});
