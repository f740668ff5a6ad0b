import type { Actor } from '../db/audit.ts';
import type { Scope } from './scopes.ts';

/** Who sent a request, and what its credential says. */
export interface Principal {
  partnerId: string;
  partner: string;
  /** names the credential in the audit log, and says nothing that could be used as one: a token's jti */
  tokenId: string;
  scopes: Scope[];
  /** vouched for by the partner's own identity provider, not by the hub */
  isForeign: boolean;
  /** seconds since 1970 */
  expiresAt: number;
  /** the thumbprint of the client certificate that must come along (`x5t#S256`, RFC 8705 §3.1), where the token has one */
  certificate: string | undefined;
}

/** Who the audit log names for what a request does. */
export function toActor({ principal, id }: { principal: Principal; id: string }): Actor {
  return { name: principal.partner, token: principal.tokenId, requestId: id };
}
