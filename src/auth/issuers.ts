import { createHash } from 'node:crypto';
import { type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { type IssuerRow, listTrustedIssuers } from '../db/issuers.ts';
import type { Db } from '../db/pool.ts';
import { readConfirmation } from './confirmation.ts';
import { rememberPartnerKeys } from './partner-keys.ts';
import type { Principal } from './principal.ts';
import { pickScopes, type Scope } from './scopes.ts';

// A removed issuer and a disabled partner must stop within two seconds on every node, of which the memory of verified
// tokens takes the other one.
const rememberMs = 1000;
const clockToleranceSeconds = 10;
// The last second of the year 9999: no date lies beyond it.
const expiresAtMax = 253_402_300_799;

/** What verifies the tokens of partners' own identity providers. */
export interface IssuerVerifier {
  /** whether a partner has registered it, and may act */
  isTrusted(issuer: string): Promise<boolean>;
  /** @throws Error, which is not for the client, where anything about the token is not as it was registered */
  verify(token: string, issuer: string): Promise<Principal>;
}

/** Reads the registered issuers at most once a second, so that what is not trusted costs nothing. */
export function createIssuerVerifier(db: Db): IssuerVerifier {
  const keysOf = rememberPartnerKeys();
  const remembered = new LRUCache<'issuers', Map<string, IssuerRow>>({
    max: 1,
    ttl: rememberMs,
    fetchMethod: async () => new Map((await listTrustedIssuers(db)).map(row => [row.issuer, row])),
  });
  const find = async (issuer: string) => (await remembered.forceFetch('issuers')).get(issuer);
  return {
    isTrusted: async issuer => (await find(issuer)) !== undefined,
    async verify(token, issuer) {
      const row = await requireTrusted(find, issuer);
      const { payload } = await jwtVerify(token, keysOf(row), {
        algorithms: row.algorithms,
        issuer,
        audience: row.audience,
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceSeconds,
      });
      // Fetching keys may have taken seconds.
      const now = await requireTrusted(find, issuer);
      if (now.partner_id !== row.partner_id) throw new Error(`${issuer} speaks for another partner now`);
      return toPrincipal(token, payload, row);
    },
  };
}

async function requireTrusted(find: (issuer: string) => Promise<IssuerRow | undefined>, issuer: string) {
  const row = await find(issuer);
  if (!row) throw new Error(`${issuer} is not registered any more`);
  return row;
}

// Whom the token names, in sub or elsewhere, is of no matter: an issuer speaks for the one partner that it belongs to.
function toPrincipal(token: string, payload: JWTPayload, row: IssuerRow): Principal {
  const expiresAt = payload.exp as number;
  if (expiresAt > expiresAtMax) throw new Error('the claim exp lies beyond the year 9999');
  return {
    partnerId: row.partner_id,
    partner: row.partner,
    tokenId: nameToken(token, payload.jti),
    scopes: readScopes(payload, row),
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
