import { decodeJwt, errors } from 'jose';
import { asUnavailable, type Db } from '../db/pool.ts';
import { HubError } from '../errors.ts';
import type { HubIdentity } from './hub-identity.ts';
import { createIssuerVerifier } from './issuers.ts';
import type { Principal } from './principal.ts';
import { verifyToken } from './tokens.ts';

/**
 * @returns what checks a token, of the hub's own or of an issuer that a partner has registered. It throws a HubError:
 * credential-invalid says the same of an issuer that nobody has registered and of a signature that is wrong
 */
export function createVerifier(db: Db, identity: HubIdentity): (token: string) => Promise<Principal> {
  const verifyForeign = createIssuerVerifier(db);
  return async token => {
    let issuer = '';
    try {
      issuer = readIssuer(token);
      // What says that the hub has issued it is never looked up among the partners' issuers.
      return await (issuer === identity.issuer ? verifyToken(db, identity, token) : verifyForeign(token, issuer));
    } catch (error) {
      if (error instanceof HubError || asUnavailable(error)) throw error;
      const cause = new Error(`of issuer ${issuer.slice(0, 200)}: ${(error as Error).message}`, { cause: error });
      throw new HubError('credential-invalid', describeFailure(error), { cause });
    }
  };
}

// Of a token that may be forged: it only says by whose keys to judge it.
function readIssuer(token: string): string {
  const { iss } = decodeJwt(token);
  return typeof iss === 'string' ? iss : '';
}

// Says what a partner can act on, and nothing that helps to forge one. jose looks at claims after the signature.
function describeFailure(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired. Get a new one.';
  if (error instanceof errors.JWTClaimValidationFailed) return 'The token is not meant for this hub, or not good yet.';
  return 'The token is not one that the hub trusts. Send it whole, as it was issued.';
}
