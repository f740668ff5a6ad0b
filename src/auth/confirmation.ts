import { createHash, type X509Certificate } from 'node:crypto';
import type { JWTPayload } from 'jose';

const member = 'x5t#S256';

/** The thumbprint that binds a token to a client certificate (RFC 8705 §3.1): base64url of SHA-256 over its DER. */
export function toThumbprint(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

/** The claim that binds a token to the holder of a certificate (RFC 7800 §3.1). */
export function toConfirmation(thumbprint: string): JWTPayload {
  return { cnf: { [member]: thumbprint } };
}

/**
 * The thumbprint of the certificate that must come along with a token; undefined where it is bound to none. A token that
 * is bound in a way which we cannot check must not pass as one that is bound to nothing.
 * @throws Error where the claim `cnf` has any other form
 */
export function readConfirmation({ cnf }: JWTPayload): string | undefined {
  if (cnf === undefined) return undefined;
  const [[name, thumbprint] = [], ...others] = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : [];
  if (name === member && others.length === 0 && typeof thumbprint === 'string' && /^[\w-]{43}$/.test(thumbprint)) {
    return thumbprint;
  }
  throw new Error('the claim cnf is not {"x5t#S256": …}');
}
