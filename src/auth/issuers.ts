import { createHash } from 'node:crypto';
import { type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { type IssuerRow, listTrustedIssuers } from '../db/issuers.ts';
import type { Db } from '../db/pool.ts';
import { readConfirmation } from './confirmation.ts';
import { rememberPartnerKeys } from './partner-keys.ts';
import type { Principal } from './principal.ts';
import { pickScopes, type Scope } from './scopes.ts';

// A removed issuer and a disabled partner must stop within two seconds on every node: http/authenticate.ts counts on it.
const rememberMs = 1000;
const clockToleranceSeconds = 10;
// The last second of the year 9999: no date lies beyond it.
const expiresAtMax = 253_402_300_799;

/**
 * @returns what verifies the tokens of partners' own identity providers. It throws an Error, which is not for the client,
 * where anything about a token is not as it was registered. The registered issuers are read at most once a second, so that
 * tokens of others cost nothing
 */
export function createIssuerVerifier(db: Db): (token: string, issuer: string) => Promise<Principal> {
  const keysOf = rememberPartnerKeys();
  const remembered = new LRUCache<'issuers', Map<string, IssuerRow>>({
    max: 1,
    ttl: rememberMs,
    fetchMethod: async () => new Map((await listTrustedIssuers(db)).map(row => [row.issuer, row])),
  });
  const requireTrusted = async (issuer: string) => {
    const row = (await remembered.forceFetch('issuers')).get(issuer);
    if (!row) throw new Error('no partner who may act has registered it');
    return row;
  };
  return async (token, issuer) => {
    const row = await requireTrusted(issuer);
    const { payload } = await jwtVerify(token, keysOf(row), {
      algorithms: row.algorithms,
      issuer,
      audience: row.audience,
      requiredClaims: ['exp'],
      clockTolerance: clockToleranceSeconds,
    });
    // Fetching keys may have taken seconds.
    const now = await requireTrusted(issuer);
    if (now.created_at !== row.created_at) throw new Error('it has been registered anew meanwhile');
    return toPrincipal(token, payload, row);
  };
}

// Whom the token names, in sub or elsewhere, is of no matter: an issuer speaks for the one partner that it belongs to.
function toPrincipal(token: string, payload: JWTPayload, row: IssuerRow): Principal {
  // RFC 7519 §2: it may have a fraction.
  const expiresAt = Math.floor(payload.exp as number);
  if (expiresAt > expiresAtMax) throw new Error('the claim exp lies beyond the year 9999');
  return {
    partnerId: row.partner_id,
    partner: row.partner,
    tokenId: nameToken(token, payload.jti),
    scopes: readScopes(payload, row),
    isForeign: true,
    expiresAt,
    certificate: readConfirmation(payload),
  };
}

// Never to be taken for a jti of the hub's, which is a UUID alone.
function nameToken(token: string, jti: unknown): string {
  if (typeof jti === 'string' && /^[\x21-\x7e]{1,100}$/.test(jti)) return `issuer:${jti}`;
  return `issuer-sha256:${createHash('sha256').update(token).digest('base64url')}`;
}

function readScopes(payload: JWTPayload, { scope, scope_claim }: IssuerRow): Scope[] {
  const claim = scope ?? payload[scope_claim];
  const words = Array.isArray(claim) ? claim.filter(word => typeof word === 'string') : [claim];
  return words.flatMap(word => (typeof word === 'string' ? pickScopes(word) : []));
}
