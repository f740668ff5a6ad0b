import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { KeySource } from '../db/issuers.ts';

/**
 * What keys of partners may sign with. Asymmetric algorithms only: no public key can be taken for a shared secret, and
 * `none` is no algorithm.
 */
export const partnerAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
];

/** The largest JWKS that is read, in bytes: a dozen keys with their certificates take a quarter of it. */
export const jwksBytesMax = 128 * 1024;

const fetchMsMax = 3000;
// After a fetch, until a kid that is not among the keys leads to another one, and after a failure.
const coolDownMs = 30_000;
const keepMs = 10 * 60_000;
const sourcesMax = 1000;

/**
 * @returns what gives the function that finds a partner's key. Keys that are fetched are kept for ten minutes; the header
 * of a token never says where from.
 */
export function rememberPartnerKeys(): (source: KeySource) => JWTVerifyGetKey {
  const remembered = new LRUCache<string, JWTVerifyGetKey, KeySource>({
    max: sourcesMax,
    memoMethod: (_name, _stale, { context: source }) => openKeys(source),
  });
  return source => remembered.memo(source.jwks_uri ?? source.jwks ?? '', { context: source });
}

function openKeys({ jwks_uri, jwks }: KeySource): JWTVerifyGetKey {
  if (jwks_uri === null) return createLocalJWKSet(JSON.parse(jwks ?? '{"keys":[]}'));
  return createRemoteJWKSet(new URL(jwks_uri), {
    timeoutDuration: fetchMsMax,
    cooldownDuration: coolDownMs,
    cacheMaxAge: keepMs,
    [customFetch]: boundedFetch(),
  });
}

// jose follows no redirect, but reads all that comes, and after a failure asks again at once.
function boundedFetch(): FetchImplementation {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    if (Date.now() < failedAtMs + coolDownMs) throw new Error(`${url} failed less than half a minute ago`);
    // Until all has gone well.
    failedAtMs = Date.now();
    const body = await readKeys(url, options).catch(error => {
      throw new Error(`the keys at ${url} cannot be read: ${describeCause(error)}`, { cause: error });
    });
    failedAtMs = Number.NEGATIVE_INFINITY;
    return new Response(body);
  };
}

async function readKeys(url: string, options: RequestInit): Promise<string> {
  const response = await fetch(url, options);
  const body = await readBounded(response);
  if (response.status !== 200) throw new Error(`the answer was ${response.status}`);
  createLocalJWKSet(JSON.parse(body));
  return body;
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > jwksBytesMax) throw new Error(`there are more than ${jwksBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

// What fetch throws says why it failed in its cause alone.
function describeCause(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
