import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';

/** A key of somebody outside of the hub. */
export interface OutsideKey {
  kid: string;
  key: CryptoKey;
  jwks: JSONWebKeySet;
  /** undefined leaves a claim or a parameter of the header out */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function makeKey(kid: string, alg = 'ES256'): Promise<OutsideKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    kid,
    key: privateKey,
    jwks: { keys: [jwk as JSONWebKeySet['keys'][number]] },
    sign: (claims, header) =>
      new SignJWT(claims as JWTPayload)
        .setProtectedHeader({ alg, kid, ...header } as JWTHeaderParameters)
        .sign(privateKey),
  };
}

/** A JWT of any header and any signature. */
export function rawToken(header: object, claims: object, signature = ''): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

export interface Endpoint {
  url: string;
  /** how often it has been asked */
  hits(): number;
  close(): Promise<void>;
}

/** A real HTTP server on this machine. */
export async function serveHttp(answer: RequestListener): Promise<Endpoint> {
  let hits = 0;
  const server = createServer((request, response) => {
    hits += 1;
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/jwks`,
    hits: () => hits,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}
