import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { type Actor, appendAudit, hubChain } from '../db/audit.ts';
import type { Db, Tx } from '../db/pool.ts';
import { findTokenHolder, insertToken, setTokenRevoked } from '../db/tokens.ts';
import { HubError } from '../errors.ts';
import { fromMicros, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { readConfirmation, toConfirmation } from './confirmation.ts';
import type { HubIdentity } from './hub-identity.ts';
import type { Principal } from './principal.ts';
import { parseScope } from './scopes.ts';
import { readSigningKey, tokenAlgorithm } from './signing-keys.ts';

/** What a token is to say. */
export interface TokenRequest {
  partnerId: string;
  partner: string;
  /** as parseScope takes it */
  scope: string;
  ttlMs: number;
  /** the thumbprint of the client certificate without which it is worth nothing (RFC 8705 §3) */
  certificate?: string | undefined;
  /** the client that asks for it, where one does */
  clientId?: string;
}

/**
 * Checks a token of the hub's own: its signature, issuer, audience, expiry, and that it is not revoked.
 * @throws HubError credential-invalid, or an error of jose's that is not for the client
 */
export async function verifyToken(db: Db, identity: HubIdentity, token: string): Promise<Principal> {
  const { find } = await identity.verifyingKeys(decodeProtectedHeader(token).kid);
  const { payload, protectedHeader } = await jwtVerify(token, find, {
    algorithms: [tokenAlgorithm],
    issuer: identity.issuer,
    audience: identity.issuer,
    requiredClaims: ['exp', 'jti', 'sub', 'scope'],
  });
  const { jti: tokenId, exp: expiresAt } = payload as { jti: string; exp: number };
  const holder = await findTokenHolder(db, { jti: tokenId, kid: protectedHeader.kid ?? '' });
  const scopes = typeof payload.scope === 'string' ? parseScope(payload.scope) : undefined;
  if (!holder || holder.slug !== payload.sub || !scopes) {
    throw new HubError('credential-invalid', 'The token has been revoked. Ask the operator of the hub for a new one.');
  }
  const certificate = readConfirmation(payload);
  return { partnerId: holder.id, partner: holder.slug, tokenId, scopes, isForeign: false, expiresAt, certificate };
}

/**
 * Signs a token for a partner and keeps its jti, so that it can be revoked. It is for the caller to see that the partner
 * has been granted what the scope says.
 */
export async function issueToken(
  tx: Tx,
  identity: HubIdentity,
  actor: Actor,
  request: TokenRequest,
): Promise<{ token: string; jti: string; expires_at: TaxiiTimestamp }> {
  const { partnerId: partner_id, partner: subject, scope, certificate, clientId: client_id = null } = request;
  const { kid, key } = await readSigningKey(tx);
  const jti = randomUUID();
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + Math.floor(request.ttlMs / 1000);
  const claims = { scope, ...(client_id && { client_id }), ...(certificate && toConfirmation(certificate)) };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: tokenAlgorithm, kid, typ: 'at+jwt' })
    .setIssuer(identity.issuer)
    .setAudience(identity.issuer)
    .setSubject(subject)
    .setJti(jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key);
  const expires_at = toTimestamp(expiresAt);
  await insertToken(tx, { jti, partner_id, scope, issued_at: toTimestamp(issuedAt), expires_at, kid, client_id });
  const details = { jti, scope, expires_at, ...(certificate && { certificate }) };
  await appendAudit(tx, actor, { chain: hubChain, action: 'token-issued', subject, details });
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
