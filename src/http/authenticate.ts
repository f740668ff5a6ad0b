import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { readCredential } from '../auth/credentials.ts';
import type { Principal } from '../auth/principal.ts';
import { createVerifier } from '../auth/verifier.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** who sent the request; set for every route registered after `authenticate` */
    principal: Principal;
  }
}

// How long a verified token is believed without asking the database again. Revoked tokens and disabled partners must
// stop working within two seconds on every node.
const rememberMs = 1000;

/** Every request from here on must carry a credential that is good now (401). Runs before the body is read. */
export const authenticate = fp(async (app, { hub }: { hub: Hub }) => {
  const verify = createVerifier(hub.db, hub.identity);
  const remembered = new LRUCache<string, Principal>({ max: 10_000, ttl: rememberMs });

  app.decorateRequest('principal');
  app.addHook('onRequest', async (request: FastifyRequest) => {
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
    request.principal = principal;
  });
});
