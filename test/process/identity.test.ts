import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type OutsideKey, secondsFromNow } from '../support/issuer.ts';
import { createSite, type RunningHub, type Site } from '../support/process.ts';

const certificate = `-----BEGIN CERTIFICATE-----
MIIBTzCCAQGgAwIBAgIUSBgLLfkriQcEvDctGse6rjrH0RswBQYDK2VwMBwxGjAY
BgNVBAMMEXNpZW0uYmFuay5leGFtcGxlMCAXDTI2MTEyNTE3NDQ1OVoYDzIxMjYx
MTAxMTc0NDU5WjAcMRowGAYDVQQDDBFzaWVtLmJhbmsuZXhhbXBsZTAqMAUGAytl
cAMhAPs24/uH+uJ/WPSbcyXdJeUcBDKvNJRd+KDvnz68uDbco1MwUTAdBgNVHQ4E
FgQUlz5KhIX+BPUC8R5XTKtCwins75EwHwYDVR0jBBgwFoAUlz5KhIX+BPUC8R5X
TKtCwins75EwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQBvXZXpAMZmKcx/cqoj
g6WQXjmNdTDs0cW1PZkPOA9iP/TMg4OyI9wWbG8Aukq2/a+SsMzYuFOyfOzGlH6L
MPcN
-----END CERTIFICATE-----
`;

let site: Site;
let hub: RunningHub;
let key: OutsideKey;
beforeAll(async () => {
  site = await createSite();
  hub = await site.serve();
  key = await makeKey('key-1');
  await writeFile(file('jwks.json'), JSON.stringify(key.jwks));
  await site.ok('partner', 'add', 'bank', '--name', 'A Bank', '--sector', 'finance');
  await site.ok('partner', 'add', 'police', '--name', 'Police', '--sector', 'law-enforcement');
  await site.ok('collection', 'add', 'alpha', '--title', 'Alpha');
  await site.ok('grant', 'bank', 'alpha', 'read');
});
afterAll(() => site.remove());

const json = async (...args: string[]) => JSON.parse(await site.ok(...args, '--json'));
const file = (name: string) => join(site.dataDir, name);
const ask = async (token: string) => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${hub.url}/hub/collections/alpha/objects/`, { headers })).status;
};
const requestToken = async (form: Record<string, string>) =>
  (
    await fetch(`${hub.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    })
  ).json() as Promise<{ access_token: string; error?: string }>;
const within = { timeout: 2000 };

describe('keys', () => {
  it('rotate while the hub runs, are listed, and are revoked with their tokens', async () => {
    const token = await site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '1h');
    expect(await ask(token)).toBe(200);
    const { kid } = await json('key', 'rotate');
    const other = await site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '1h');
    expect([await ask(token), await ask(other)]).toEqual([200, 200]);
    const listed = await json('key', 'list');
    expect(listed).toMatchObject([
      { kid, state: 'signs', tokens: 1 },
      { state: 'verifies', tokens: 1, tokens_until: expect.any(String) },
    ]);
    expect(await site.ok('key', 'revoke', listed[1].kid)).toMatch(/Tokens that stop: 1;/);
    await expect.poll(() => ask(token), within).toBe(401);
    expect(await ask(other)).toBe(200);
  });
});

describe("a partner's issuer", () => {
  it('is added, listed, and removed while the hub runs', async () => {
    const issuer = 'https://login.bank.example';
    const options = [
      '--issuer',
      issuer,
      '--jwks-file',
      file('jwks.json'),
      '--audience',
      'cti',
      '--algorithms',
      'ES256',
    ];
    expect(await site.ok('partner', 'issuer', 'add', 'bank', ...options)).toBe(
      `${issuer} speaks for bank. Its tokens must be for the audience cti.`,
    );
    const exp = secondsFromNow(300);
    const token = await key.sign({ iss: issuer, aud: 'cti', exp, scope: 'collection:alpha:read' });
    await expect.poll(() => ask(token), within).toBe(200);
    expect(await json('partner', 'issuer', 'list', 'bank')).toEqual([
      { partner: 'bank', issuer, keys: 'from a file', audience: 'cti', scope: 'claim scope', algorithms: 'ES256' },
    ]);
    const taken = await site.run('partner', 'issuer', 'add', 'police', ...options);
    expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/has been added already/) });
    await site.ok('partner', 'issuer', 'remove', 'bank', issuer);
    await expect.poll(() => ask(token), within).toBe(401);
    expect(await json('partner', 'issuer', 'list')).toEqual([]);
  });
});

describe("a partner's client", () => {
  it('is added with a secret that is shown once, and is removed with its tokens', async () => {
    const added = await json('partner', 'client', 'add', 'bank', '--secret', '--scope', 'collection:alpha:read');
    const { client_id, client_secret } = added;
    const { access_token } = await requestToken({ client_id, client_secret });
    expect(await ask(access_token)).toBe(200);
    const listed = await site.ok('partner', 'client', 'list', 'bank', '--json');
    expect(JSON.parse(listed)).toMatchObject([{ client_id, partner: 'bank', authentication: 'client_secret' }]);
    expect(listed).not.toContain(client_secret);
    await site.ok('partner', 'client', 'remove', client_id);
    expect(await requestToken({ client_id, client_secret })).toMatchObject({ error: 'invalid_client' });
    await expect.poll(() => ask(access_token), within).toBe(401);
  });

  it('is added with keys, and signs', async () => {
    const printed = await site.ok('partner', 'client', 'add', 'bank', '--jwks-file', file('jwks.json'));
    const client_id = /^client_id: ([\w-]+)$/.exec(printed)?.[1] as string;
    const claims = { iss: client_id, sub: client_id, aud: hub.url, exp: secondsFromNow(60), jti: 'once' };
    const { access_token } = await requestToken({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await key.sign(claims),
    });
    expect(await ask(access_token)).toBe(200);
  });
});

it('a token is bound to a certificate', async () => {
  await writeFile(file('cert.pem'), certificate);
  const issue = ['token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '1h', '--certificate'];
  const token = await site.ok(...issue, file('cert.pem'));
  // As openssl computes it: x509 -outform der | dgst -sha256 -binary, in base64url.
  const thumbprint = 'HSM0nT7hq-m-2NTY6WhwMGJDRf-PWk_4COwMZ-40Xn8';
  expect(decodeJwt(token)).toMatchObject({ cnf: { 'x5t#S256': thumbprint } });
  expect((await site.run(...issue, file('jwks.json'))).stderr).toMatch(/is not a certificate in PEM/);
});

describe('a mistake', () => {
  const issuer = (...more: string[]) => ['partner', 'issuer', 'add', 'bank', '--issuer', 'https://x.example', ...more];
  it.each([
    [['key', 'revoke', 'none'], /There is no key "none"/],
    [issuer(), /--jwks-uri <https url> or --jwks-file <file>, one of both/],
    [issuer('--jwks-uri', 'http://keys.example/'), /takes an https URL/],
    [issuer('--jwks-uri', 'http://127.0.0.1.evil.example/'), /takes an https URL/],
    [issuer('--jwks-uri', 'https://user:password@keys.example/'), /takes an https URL without a user/],
    [issuer('--jwks-uri', 'file:///etc/passwd'), /takes an https URL/],
    [issuer('--jwks-uri', 'https://keys.example/', '--algorithms', 'RS256,HS256'), /not "HS256"/],
    [issuer('--jwks-uri', 'https://keys.example/', '--algorithms', 'none'), /not "none"/],
    [issuer('--jwks-uri', 'https://keys.example/', '--audience', 'a\nb'), /--audience takes/],
    [issuer('--jwks-uri', 'https://keys.example/', '--scope', 'openid'), /--scope takes words/],
    [['partner', 'issuer', 'remove', 'police', 'https://x.example'], /"police" has no issuer/],
    [['partner', 'client', 'add', 'bank'], /one of them/],
    [['partner', 'client', 'add', 'bank', '--secret', '--jwks-uri', 'https://x.example'], /one of them/],
    [['partner', 'client', 'remove', 'x'], /There is no client "x"/],
  ])('%j is told in a sentence', async (args, sentence) => {
    const { code, stderr } = await site.run(...args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(sentence) });
  });

  it('with keys is told in a sentence', async () => {
    const privateKey = { ...(await exportJWK(key.key)), kid: 'key-1' };
    const files = {
      'private.json': [JSON.stringify({ keys: [privateKey] }), /holds a private key or a secret/],
      'secret.json': [JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] }), /holds a private key or a secret/],
      'empty.json': ['{"keys":[]}', /is not a JWKS/],
      'text.json': ['-----BEGIN PUBLIC KEY-----', /is not a JWKS/],
    } as const;
    for (const [name, [text, sentence]] of Object.entries(files)) {
      await writeFile(file(name), text);
      expect((await site.run(...issuer('--jwks-file', file(name)))).stderr).toMatch(sentence);
    }
    expect((await site.run(...issuer('--jwks-file', file('none.json')))).stderr).toMatch(/none\.json/);
  });

  it("such as the hub's own issuer is told in a sentence", async () => {
    const token = await site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read', '--ttl', '1h');
    const own = decodeJwt(token).iss as string;
    for (const name of [own, own.toUpperCase()]) {
      const options = ['--issuer', name, '--jwks-file', file('jwks.json')];
      expect((await site.run('partner', 'issuer', 'add', 'bank', ...options)).stderr).toMatch(/the issuer of this hub/);
    }
  });
});
