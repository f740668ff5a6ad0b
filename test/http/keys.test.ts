import type { FastifyInstance } from 'fastify';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSigningKey, revokeSigningKey, rotateSigningKey } from '../../src/auth/signing-keys.ts';
import { createVerifier } from '../../src/auth/verifier.ts';
import { operator } from '../../src/db/audit.ts';
import { listSigningKeys } from '../../src/db/signing-keys.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';

let hub: TestHub;
let node: FastifyInstance;
beforeAll(async () => {
  hub = await startTestHub();
  node = await hub.addNode();
  await hub.addCollection({ alias: 'open' });
});
afterAll(() => hub.close());

const url = '/hub/collections/open/objects/';
const ask = async (app: FastifyInstance, token: string) =>
  (await app.inject({ url, headers: { accept: taxii, authorization: `Bearer ${token}` } })).statusCode;
const askAll = (token: string) => Promise.all([ask(hub.app, token), ask(node, token)]);
const makeToken = async () => hub.tokenFor(await hub.addPartner(), 'collection:open:read');
const kidOf = (token: string) => decodeProtectedHeader(token).kid as string;
const publishedBy = async (app: FastifyInstance): Promise<string[]> =>
  (await app.inject('/.well-known/jwks.json')).json().keys.map((key: { kid: string }) => key.kid);
const rotate = () => hub.hub.db.transaction().execute(tx => rotateSigningKey(tx, operator));
const revoke = (kid: string) => hub.hub.db.transaction().execute(tx => revokeSigningKey(tx, operator, kid));
const within = { timeout: 2000 };

describe('a rotated key', () => {
  it('signs, while tokens of the one before stay good on every node', async () => {
    const before = await makeToken();
    expect(await askAll(before)).toEqual([200, 200]);
    const kid = await rotate();
    const after = await makeToken();
    expect(kidOf(after)).toBe(kid);
    expect(await askAll(after)).toEqual([200, 200]);
    expect(await askAll(before)).toEqual([200, 200]);
    for (const app of [hub.app, node]) {
      await expect.poll(() => publishedBy(app), within).toEqual([kid, kidOf(before)]);
    }
    const jwks = (await node.inject('/.well-known/jwks.json')).json();
    expect((await jwtVerify(after, createLocalJWKSet(jwks))).protectedHeader.kid).toBe(kid);
    const rows = await hub.hub.db.selectFrom('signing_key').select(['kid', 'jwk']).execute();
    expect(rows.filter(({ jwk }) => 'd' in jwk).map(row => row.kid)).toEqual([kid]);
  });

  it('leaves the published keys once its last token has expired', async () => {
    const token = await makeToken();
    const kid = await rotate();
    await sql`update signing_key set superseded_at = now() - interval '1 hour' where superseded_at is not null`.execute(
      hub.hub.db,
    );
    await expect.poll(() => publishedBy(node), within).toContain(kidOf(token));
    await sql`update token set expires_at = now() where kid <> ${kid}`.execute(hub.hub.db);
    await expect.poll(() => publishedBy(node), within).toEqual([kid]);
    await expect.poll(() => askAll(token), within).toEqual([401, 401]);
    expect((await listSigningKeys(hub.hub.db)).slice(0, 2).map(({ state }) => state)).toEqual(['signs', 'retired']);
  });

  it('is one, however many rotations come at once', async () => {
    const kids = await Promise.all([rotate(), rotate(), rotate()]);
    expect(new Set(kids).size).toBe(3);
    const states = (await listSigningKeys(hub.hub.db)).map(({ state }) => state);
    expect(states.filter(state => state === 'signs')).toHaveLength(1);
  });
});

describe('a revoked key', () => {
  it('takes its tokens with it on every node, and no others', async () => {
    const leaked = await makeToken();
    await rotate();
    const token = await makeToken();
    expect(await askAll(token)).toEqual([200, 200]);
    expect(await askAll(leaked)).toEqual([200, 200]);
    await revoke(kidOf(leaked));
    await expect.poll(() => askAll(leaked), within).toEqual([401, 401]);
    expect(await askAll(token)).toEqual([200, 200]);
    await expect.poll(() => publishedBy(node), within).not.toContain(kidOf(leaked));
  });

  it('is of no use from the next check on, although its public part may be remembered', async () => {
    const token = await makeToken();
    const verify = createVerifier(hub.hub.db, hub.hub.identity);
    await verify(token);
    await revoke(kidOf(token));
    await expect(verify(token)).rejects.toMatchObject({ code: 'credential-invalid' });
  });

  it('may be the one that signs: another takes over', async () => {
    await rotate();
    const leaked = await makeToken();
    expect(await revoke(kidOf(leaked))).toMatchObject({ state: 'signs', tokens: 1 });
    const token = await makeToken();
    expect(kidOf(token)).not.toBe(kidOf(leaked));
    await expect.poll(() => askAll(leaked), within).toEqual([401, 401]);
    expect(await askAll(token)).toEqual([200, 200]);
    expect(await revoke('none')).toBeUndefined();
  });

  it('that leaked cannot sign in the name of tokens of another key, even before it is revoked', async () => {
    const { kid, key } = await hub.hub.db.transaction().execute(readSigningKey);
    await makeToken();
    await rotate();
    const token = await makeToken();
    expect(await askAll(token)).toEqual([200, 200]);
    const forged = await new SignJWT({ ...decodeJwt(token), scope: 'collection:*:write' })
      .setProtectedHeader({ alg: 'EdDSA', kid })
      .sign(key);
    expect(await askAll(forged)).toEqual([401, 401]);
  });
});

it('each change is in the audit log', async () => {
  const entries = await hub.hub.db.selectFrom('audit').select(['action', 'actor']).execute();
  expect(entries).toContainEqual({ action: 'key-rotated', actor: 'operator' });
  expect(entries).toContainEqual({ action: 'key-revoked', actor: 'operator' });
});
