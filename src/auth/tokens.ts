import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose';
import { type Actor, appendAudit, hubChain } from '../db/audit.ts';
import type { Db, Tx } from '../db/pool.ts';
import { findTokenHolder, insertToken, setTokenRevoked } from '../db/tokens.ts';
import { HubError } from '../errors.ts';
import { fromMicros, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { type HubIdentity, tokenAlgorithm } from './hub-identity.ts';
import type { Principal } from './principal.ts';
import { parseScope } from './scopes.ts';

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
    const { jti: tokenId, exp: expiresAt } = payload as { jti: string; exp: number };
    const holder = await findTokenHolder(db, tokenId);
    const { 'x5t#S256': certificate } = (payload.cnf ?? {}) as { 'x5t#S256'?: string };
    const scopes = typeof payload.scope === 'string' ? parseScope(payload.scope) : undefined;
    if (!holder || holder.slug !== payload.sub || !scopes) {
      throw new HubError(
        'credential-invalid',
        'The token has been revoked. Ask the operator of the hub for a new one.',
      );
    }
    return { partnerId: holder.id, partner: holder.slug, tokenId, scopes, expiresAt, certificate };
  };
}

/**
 * Signs a token for a partner and keeps its jti, so that it can be revoked. It is for the caller to see that the partner
 * has been granted what the scope says.
 * @param request scope as parseScope takes it; ttlMs in milliseconds
 */
export async function issueToken(
  tx: Tx,
  identity: HubIdentity,
  actor: Actor,
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
  const { partnerId: partner_id, partner: subject, scope } = request;
  await insertToken(tx, { jti, partner_id, scope, issued_at: toTimestamp(issuedAt), expires_at });
  await appendAudit(tx, actor, {
    chain: hubChain,
    action: 'token-issued',
    subject,
    details: { jti, scope, expires_at },
  });
  return { token, jti, expires_at };
}

/** Stops a token, on every node within two seconds. @returns false where no token has that jti; twice is a success */
export async function revokeToken(tx: Tx, actor: Actor, jti: string): Promise<boolean> {
  const subject = await setTokenRevoked(tx, jti);
  if (subject === undefined) return false;
  await appendAudit(tx, actor, { chain: hubChain, action: 'token-revoked', subject, details: { jti } });
  return true;
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
