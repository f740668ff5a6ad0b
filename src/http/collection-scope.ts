import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { rememberGrants } from '../auth/grant-memory.ts';
import { type Rights, rightsIn } from '../auth/scopes.ts';
import type { GrantedCollection } from '../db/grants.ts';
import type { Reader } from '../db/objects.ts';
import type { Hub } from '../hub.ts';
import { collectionNotFound, type NeededRight, requireRight } from '../taxii/access.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** the collection in the path; set for every route registered after `collectionScope` */
    collection: GrantedCollection;
    /** what the request may do in it: what the token says, within the partner's grant */
    rights: Rights;
    /** who reads in it, and so what is there */
    reader: Reader;
  }
  interface FastifyContextConfig {
    /** what a route below a collection needs; without it the route is refused to everybody */
    needs?: NeededRight;
  }
}

/**
 * Decides access before the body is read, and once more after it: every route from here on has
 * `/:apiRoot/collections/:collection/`.
 */
export const collectionScope = fp(async (app, { hub }: { hub: Hub }) => {
  app.decorateRequest('collection');
  app.decorateRequest('rights');
  app.decorateRequest('reader');
  const findGranted = rememberGrants(hub.db, hub.watch);
  const decide = async (request: FastifyRequest) => {
    const { apiRoot, collection: idOrAlias } = request.params as { apiRoot: string; collection: string };
    const { needs } = request.routeOptions.config;
    const collection = await findGranted(request.principal.partnerId, idOrAlias);
    if (!collection || collection.api_root !== apiRoot || !needs) throw collectionNotFound();
    request.rights = rightsIn(request.principal.scopes, collection);
    requireRight(request.rights, needs);
    request.collection = collection;
    const { tlp_ceiling: ceiling, replayed_last: replayedLast } = collection.grant;
    request.reader = { partnerId: request.principal.partnerId, ceiling, replayedLast };
  };
  app.addHook('onRequest', decide);
  // A body may take minutes to come, in which its sender can lose the credential or the grant.
  app.addHook('preHandler', async request => {
    if (request.body === undefined) return;
    request.principal = await app.identify(request);
    await decide(request);
  });
});
