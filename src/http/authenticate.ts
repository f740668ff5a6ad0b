import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { isSameCertificate } from '../auth/client-certificate.ts';
import { type Credential, readCredential } from '../auth/credentials.ts';
import type { Principal } from '../auth/principal.ts';
import { createVerifier } from '../auth/verifier.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import { hook } from './hook.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** who the credential of a request says it is, as of now. @throws HubError credential-missing or credential-invalid */
    identify(request: FastifyRequest): Promise<Principal> | Principal;
    /** the same where it is remembered, without what came along with the token; undefined: to be found out */
    recall(request: FastifyRequest): Principal | undefined;
  }
  interface FastifyRequest {
    /** who sent the request; set for every route registered after `authenticate` */
    principal: Principal;
  }
}

// What a token was verified with (keys, issuers) may be a second old. So soon after a change of what decides trust, a
// verified token is believed for no longer; later, until it expires or there is another change. Revoked tokens and disabled
// partners stop working within two seconds on every node.
const settlingMs = 2000;
const settlingRememberMs = 1000;
// The keys of other issuers are theirs to change, and are asked for every ten minutes.
const foreignRememberMs = 60_000;

interface Remembered {
  principal: Principal;
  trust: string;
}

/**
 * Every request from here on must carry a credential that is good now (401; 429 where too many from its address were not).
 * Runs before the body is read.
 */
export const authenticate = fp(async (app, { hub }: { hub: Hub }) => {
  const verify = createVerifier(hub.db, hub.identity);
  // The clock is read each time: to read it once a millisecond, which is usual, takes a timer for each.
  const remembered = new LRUCache<string, Remembered>({ max: 50_000, ttlResolution: 0 });

  app.decorateRequest('principal');
  const verifyAnew = async (token: string, key: string): Promise<Principal> => {
    const { trust } = hub.watch;
    const principal = await verify(token);
    const isSettling = performance.now() - hub.watch.trustChangedAt < settlingMs;
    const ttl = Math.min(
      principal.expiresAt * 1000 - Date.now(),
      isSettling ? settlingRememberMs : Infinity,
      principal.isForeign ? foreignRememberMs : Infinity,
    );
    if (ttl >= 1) remembered.set(key, { principal, trust }, { ttl: Math.floor(ttl) });
    return principal;
  };
  const recall = (key: string): Principal | undefined => {
    const known = remembered.get(key);
    return known?.trust === hub.watch.trust ? known.principal : undefined;
  };
  const identify = (request: FastifyRequest): Promise<Principal> | Principal => {
    const { credential, key } = readSent(request);
    const { token } = credential;
    const refreshing = hub.watch.fresh();
    const known = refreshing ? undefined : recall(key);
    if (known) return accept(known, credential, request);
    const find = async () => {
      await refreshing;
      return accept(recall(key) ?? (await verifyAnew(token, key)), credential, request);
    };
    return find();
  };
  app.decorate('identify', identify);
  app.decorate('recall', request => {
    const refreshing = hub.watch.fresh();
    if (!refreshing) return recall(readSent(request).key);
    // Told to whoever finds it out.
    refreshing.catch(() => undefined);
    return undefined;
  });
  const refuse = (request: FastifyRequest, error: unknown): never => {
    // Who sends none may only want to see the challenge.
    if (error instanceof HubError && error.code === 'credential-invalid') {
      app.failedLogins.count(request, 'token');
      app.failedLogins.refuseBeyondLimit(request, 'token');
    }
    throw error;
  };
  app.addHook(
    'onRequest',
    hook(request => {
      const enter = (principal: Principal): void => {
        request.principal = principal;
      };
      try {
        const principal = identify(request);
        if (!(principal instanceof Promise)) return enter(principal);
        return principal.then(enter).catch(error => refuse(request, error));
      } catch (error) {
        return refuse(request, error);
      }
    }),
  );
});

/** What was sent in Authorization, and the hash of its token. */
interface Sent {
  header: string | undefined;
  credential: Credential;
  key: string;
}

// Clients send the same over a connection again and again, and to read it costs more than to look up who that is.
const lastSent = new WeakMap<object, Sent>();

/** @throws HubError credential-missing or credential-invalid where it is none */
function readSent({ raw, headers }: FastifyRequest): Sent {
  const header = headers.authorization;
  const last = lastSent.get(raw.socket);
  if (last && last.header === header) return last;
  const credential = readCredential(header);
  const sent = { header, credential, key: hash('sha256', credential.token, 'base64') };
  lastSent.set(raw.socket, sent);
  return sent;
}

/** @throws HubError credential-invalid where what came along does not belong to the token */
function accept(principal: Principal, { user }: Credential, request: FastifyRequest): Principal {
  if (user && user !== principal.partner) {
    throw new HubError('credential-invalid', 'The user of Basic must be the partner that holds the token, or empty.');
  }
  requireCertificate(principal, request);
  return principal;
}

// RFC 8705 §3. At every request: the same token may come again with another certificate.
function requireCertificate({ certificate }: Principal, request: FastifyRequest): void {
  if (certificate === undefined || isSameCertificate(certificate, request.clientCertificate)) return;
  throw new HubError(
    'credential-invalid',
    'The token belongs to a client certificate. Send it over a TLS connection that shows this certificate.',
  );
}
