import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWK } from 'jose';
import { jwksBytesMax } from '../auth/partner-keys.ts';
import type { KeySource } from '../db/issuers.ts';
import { OperatorError } from '../errors.ts';

const privateMembers = ['d', 'k', 'priv'];

/**
 * Where --jwks-uri or --jwks-file say that a partner's keys are.
 * @throws OperatorError where they are not one of both, the URL is not safe, or the file holds anything but public keys
 */
export async function readKeySource(options: { jwksUri?: string; jwksFile?: string }): Promise<KeySource> {
  if (options.jwksUri !== undefined && options.jwksFile === undefined) {
    return { jwks_uri: requireJwksUri(options.jwksUri), jwks: null };
  }
  if (options.jwksFile !== undefined && options.jwksUri === undefined) {
    return { jwks_uri: null, jwks: requireJwks(await readFile(options.jwksFile, 'utf8'), options.jwksFile) };
  }
  throw new OperatorError('Say where the public keys are: --jwks-uri <https url> or --jwks-file <file>, one of both.');
}

// Over http anybody on the way could put keys of their own there.
function requireJwksUri(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname));
  if (url && isSafe && url.username === '' && url.password === '') return url.href;
  throw new OperatorError(`--jwks-uri takes an https URL without a user (http for this machine alone), not "${text}".`);
}

function requireJwks(text: string, file: string): string {
  if (text.length > jwksBytesMax) throw new OperatorError(`"${file}" is larger than ${jwksBytesMax} bytes.`);
  const jwks = parseJwks(text);
  if (!jwks || jwks.keys.length === 0) {
    throw new OperatorError(`"${file}" is not a JWKS, which is {"keys": [ … ]} with public keys (RFC 7517 §5).`);
  }
  const secret = jwks.keys.find(jwk => privateMembers.some(name => Object.hasOwn(jwk, name)));
  if (secret) throw new OperatorError(`"${file}" holds a private key or a secret: give the hub public keys alone.`);
  return JSON.stringify({ keys: jwks.keys.map(toBareKey) });
}

function parseJwks(text: string): JSONWebKeySet | undefined {
  try {
    const jwks = JSON.parse(text);
    createLocalJWKSet(jwks);
    return jwks;
  } catch {
    return undefined;
  }
}

// Certificates are not looked at, here or anywhere.
function toBareKey({ x5c: _, x5u: __, ...jwk }: JWK): JWK {
  return jwk;
}
