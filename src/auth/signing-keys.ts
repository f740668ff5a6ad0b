import { randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyGetKey,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { type Actor, appendAudit, hubChain } from '../db/audit.ts';
import { lockHub } from '../db/hub.ts';
import type { Db, Tx } from '../db/pool.ts';
import {
  findSigningKey,
  insertSigningKey,
  listSigningKeys,
  listVerifyingKeys,
  type SigningKeyRow,
  type SigningKeyState,
  setSigningKeyRevoked,
} from '../db/signing-keys.ts';

/** The one algorithm of the hub's tokens. Pinned: whatever a token's header claims otherwise is refused. */
export const tokenAlgorithm = 'EdDSA';

/** What the hub's tokens are verified with. */
export interface VerifyingKeys {
  /** what `/.well-known/jwks.json` publishes */
  published: JSONWebKeySet;
  find: JWTVerifyGetKey;
}

// Rotation and revocation are noticed on every node within it.
const rememberMs = 1000;

/** Gives the keys as they were at most a second ago, and as they are now where a kid is asked for that was not there. */
export type VerifyingKeysReader = (kid?: string) => Promise<VerifyingKeys>;

/** Reads the keys from the database. However many ask, one read is under way at a time. */
export function rememberVerifyingKeys(db: Db): VerifyingKeysReader {
  const remembered = new LRUCache<'keys', VerifyingKeys>({
    max: 1,
    ttl: rememberMs,
    fetchMethod: async () => toVerifyingKeys(await listVerifyingKeys(db)),
  });
  return async kid => {
    const keys = await remembered.forceFetch('keys');
    // A key that has just begun to sign, on another node.
    const isMissing = kid !== undefined && !keys.published.keys.some(key => key.kid === kid);
    return isMissing ? remembered.forceFetch('keys', { forceRefresh: true }) : keys;
  };
}

function toVerifyingKeys(rows: SigningKeyRow[]): VerifyingKeys {
  const published = {
    keys: rows.map(({ kid, jwk }): JWK & { kty: string } => ({
      kty: 'OKP',
      crv: 'Ed25519',
      x: jwk.x as string,
      kid,
      alg: tokenAlgorithm,
      use: 'sig',
    })),
  };
  return { published, find: createLocalJWKSet(published) };
}

/** The key that signs, as the transaction sees it. */
export async function readSigningKey(tx: Tx): Promise<{ kid: string; key: CryptoKey }> {
  const { kid, jwk } = await findSigningKey(tx);
  return { kid, key: (await importJWK(jwk as unknown as JWK, tokenAlgorithm)) as CryptoKey };
}

/** Makes a new key and lets it sign. @returns its kid */
export async function addSigningKey(tx: Tx): Promise<string> {
  const { privateKey } = await generateKeyPair(tokenAlgorithm, { extractable: true });
  const kid = randomUUID();
  await insertSigningKey(tx, { kid, jwk: (await exportJWK(privateKey)) as Record<string, string> });
  return kid;
}

/** A new key signs from now on; tokens of older keys stay good until they expire. @returns its kid */
export async function rotateSigningKey(tx: Tx, actor: Actor): Promise<string> {
  await lockHub(tx);
  const kid = await addSigningKey(tx);
  await appendAudit(tx, actor, { chain: hubChain, action: 'key-rotated', subject: kid });
  return kid;
}

/**
 * Stops all tokens of a key, on every node within two seconds; where it is the one that signs, a new one takes over.
 * @returns how it stood before; undefined where no key has that kid
 */
export async function revokeSigningKey(tx: Tx, actor: Actor, kid: string): Promise<SigningKeyState | undefined> {
  await lockHub(tx);
  const before = (await listSigningKeys(tx)).find(key => key.kid === kid);
  if (!before) return undefined;
  if (before.state === 'signs') await addSigningKey(tx);
  await setSigningKeyRevoked(tx, kid);
  const details = { tokens: before.tokens };
  await appendAudit(tx, actor, { chain: hubChain, action: 'key-revoked', subject: kid, details });
  return before;
}
