import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { isSameCertificate } from '../auth/client-certificate.ts';
import { readCredential } from '../auth/credentials.ts';
import type { Principal } from '../auth/principal.ts';
import { createVerifier } from '../auth/verifier.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** who the credential of a request says it is, as of now. @throws HubError credential-missing or credential-invalid */
    identify(request: FastifyRequest): Promise<Principal>;
  }
  interface FastifyRequest {
    /** who sent the request; set for every route registered after `authenticate` */
    principal: Principal;
  }
}

// How long a verified token is believed without asking the database again. Revoked tokens and disabled partners must
// stop working within two seconds on every node.
const rememberMs = 1000;

/**
 * Every request from here on must carry a credential that is good now (401; 429 where too many from its address were not).
 * Runs before the body is read.
 */
export const authenticate = fp(async (app, { hub }: { hub: Hub }) => {
  const verify = createVerifier(hub.db, hub.identity);
  const remembered = new LRUCache<string, Principal>({ max: 10_000, ttl: rememberMs });

  app.decorateRequest('principal');
  const identify = async (request: FastifyRequest): Promise<Principal> => {
    const { token, user } = readCredential(request.headers.authorization);
    const key = createHash('sha256').update(token).digest('base64');
    let principal = remembered.get(key);
    if (!principal) {
      principal = await verify(token);
      remembered.set(key, principal);
    }
    if (user && user !== principal.partner) {
      throw new HubError('credential-invalid', 'The user of Basic must be the partner that holds the token, or empty.');
    }
    requireCertificate(principal, request);
    return principal;
  };
  app.decorate('identify', identify);
  app.addHook('onRequest', async request => {
    try {
      request.principal = await identify(request);
    } catch (error) {
      // Who sends none may only want to see the challenge.
      if (!(error instanceof HubError) || error.code !== 'credential-invalid') throw error;
      app.failedLogins.count(request, 'token');
      app.failedLogins.refuseBeyondLimit(request, 'token');
      throw error;
    }
  });
});

// RFC 8705 §3. At every request: the same token may come again with another certificate.
function requireCertificate({ certificate }: Principal, request: FastifyRequest): void {
  if (certificate === undefined || isSameCertificate(certificate, request.clientCertificate)) return;
  throw new HubError(
    'credential-invalid',
    'The token belongs to a client certificate. Send it over a TLS connection that shows this certificate.',
  );
}
