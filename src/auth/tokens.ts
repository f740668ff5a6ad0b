import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose';
import type { Db } from '../db/pool.ts';
import { findTokenHolder, insertToken } from '../db/tokens.ts';
import { HubError } from '../errors.ts';
import { fromMicros, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { type HubIdentity, tokenAlgorithm } from './hub-identity.ts';
import { parseScope, type Scope } from './scopes.ts';

/** Who sent a request, and what its token allows. */
export interface Principal {
  partnerId: string;
  partner: string;
  jti: string;
  scopes: Scope[];
}

/** @returns what checks a token: its signature, issuer, audience, expiry, and that it is not revoked */
export function createVerifier(db: Db, identity: HubIdentity): (token: string) => Promise<Principal> {
  const keys = createLocalJWKSet(identity.publicKeys);
  return async token => {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [tokenAlgorithm],
      issuer: identity.issuer,
      audience: identity.issuer,
      requiredClaims: ['exp', 'jti', 'sub', 'scope'],
    }).catch(error => {
      throw new HubError('credential-invalid', describeFailure(error), { cause: error });
    });
    const holder = await findTokenHolder(db, payload.jti as string);
    const scopes = parseScope(String(payload.scope));
    if (!holder || holder.slug !== payload.sub || !scopes) {
      throw new HubError(
        'credential-invalid',
        'The token has been revoked. Ask the operator of the hub for a new one.',
      );
    }
    return { partnerId: holder.id, partner: holder.slug, jti: payload.jti as string, scopes };
  };
}

/**
 * Signs a token for a partner and keeps its jti, so that it can be revoked.
 * @param request scope as parseScope takes it; ttlMs in milliseconds
 */
export async function issueToken(
  db: Db,
  identity: HubIdentity,
  request: { partnerId: string; partner: string; scope: string; ttlMs: number },
): Promise<{ token: string; jti: string; expires_at: TaxiiTimestamp }> {
  const jti = randomUUID();
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + Math.floor(request.ttlMs / 1000);
  const token = await new SignJWT({ scope: request.scope })
    .setProtectedHeader({ alg: tokenAlgorithm, kid: identity.signingKey.kid, typ: 'at+jwt' })
    .setIssuer(identity.issuer)
    .setAudience(identity.issuer)
    .setSubject(request.partner)
    .setJti(jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(identity.signingKey.key);
  const expires_at = toTimestamp(expiresAt);
  await insertToken(db, {
    jti,
    partner_id: request.partnerId,
    scope: request.scope,
    issued_at: toTimestamp(issuedAt),
    expires_at,
  });
  return { token, jti, expires_at };
}

function toTimestamp(seconds: number): TaxiiTimestamp {
  return fromMicros(BigInt(seconds) * 1_000_000n);
}

// Says what a partner can act on, and nothing that helps to forge one.
function describeFailure(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired. Ask the operator of the hub for a new one.';
  if (error instanceof errors.JWTClaimValidationFailed) return 'The token was not issued by this hub for its partners.';
  return 'The token is not one that this hub has signed. Send it whole, as it was printed.';
}
