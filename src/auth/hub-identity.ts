import { randomBytes, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { findHub, insertHub, listSigningKeys } from '../db/hub.ts';
import type { Db } from '../db/pool.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';

/** The one algorithm of the hub's tokens. Pinned: whatever a token's header claims otherwise is refused. */
export const tokenAlgorithm = 'EdDSA';

/** What a hub is to its partners: the issuer of its tokens, its keys, and what authenticates its cursors. */
export interface HubIdentity {
  /** `urn:uuid:…`, both issuer and audience: it stays true when the hub's URL changes */
  issuer: string;
  signingKey: { kid: string; key: CryptoKey };
  /** what `/.well-known/jwks.json` publishes */
  publicKeys: { keys: JWK[] };
  cursorKey: Buffer;
  /** `identity--…`: the STIX identity that stands for senders who must not be seen */
  stixId: string;
  createdAt: TaxiiTimestamp;
}

/** Reads the hub's identity, and makes it at the very first start. Safe when several nodes start at once. */
export async function loadIdentity(db: Db): Promise<HubIdentity> {
  const hub = (await findHub(db)) ?? (await createHub(db));
  const rows = await listSigningKeys(db);
  const newest = rows[0];
  if (!newest) throw new Error('the hub has no signing key');
  return {
    issuer: `urn:uuid:${hub.id}`,
    signingKey: { kid: newest.kid, key: (await importJWK(newest.private_jwk as JWK, tokenAlgorithm)) as CryptoKey },
    publicKeys: { keys: rows.map(row => toPublicJwk(row.kid, row.private_jwk as JWK)) },
    cursorKey: hub.cursorKey,
    stixId: `identity--${hub.id}`,
    createdAt: hub.createdAt,
  };
}

async function createHub(db: Db) {
  const { privateKey } = await generateKeyPair(tokenAlgorithm, { extractable: true });
  const jwk = (await exportJWK(privateKey)) as Record<string, string>;
  await db
    .transaction()
    .execute(tx =>
      insertHub(tx, { id: randomUUID(), cursorKey: randomBytes(32) }, { kid: randomUUID(), private_jwk: jwk }),
    );
  // Another node may have been faster: what is stored counts.
  const hub = await findHub(db);
  if (!hub) throw new Error('the hub could not be created');
  return hub;
}

function toPublicJwk(kid: string, jwk: JWK): JWK {
  return { kty: 'OKP', crv: 'Ed25519', x: jwk.x as string, kid, alg: tokenAlgorithm, use: 'sig' };
}
