import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type KnownCollection, rememberGrants } from '../auth/grant-memory.ts';
import { type Rights, rightsIn } from '../auth/scopes.ts';
import type { Reader } from '../db/objects.ts';
import type { Hub } from '../hub.ts';
import { collectionNotFound, type NeededRight, requireRight } from '../taxii/access.ts';
import { hook } from './hook.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** the collection in the path; set for every route registered after `collectionScope` */
    collection: KnownCollection;
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
  const decide = (request: FastifyRequest): Promise<void> | void => {
    const { collection: idOrAlias } = request.params as PathParams;
    const granted = findGranted(request.principal.partnerId, idOrAlias);
    if (granted instanceof Promise) return granted.then(found => enter(request, found));
    return enter(request, granted);
  };
  const enter = (request: FastifyRequest, collection: KnownCollection | undefined): void => {
    const { apiRoot } = request.params as PathParams;
    const { needs } = request.routeOptions.config;
    if (!collection || collection.api_root !== apiRoot || !needs) throw collectionNotFound();
    request.rights = rightsIn(request.principal.scopes, collection);
    requireRight(request.rights, needs);
    request.collection = collection;
    const { tlp_ceiling: ceiling, replayed_last: replayedLast } = collection.grant;
    request.reader = { partnerId: request.principal.partnerId, ceiling, replayedLast };
  };
  const decideAgain = async (request: FastifyRequest): Promise<void> => {
    request.principal = await app.identify(request);
    await decide(request);
  };
  app.addHook('onRequest', hook(decide));
  // A body may take minutes to come, in which its sender can lose the credential or the grant.
  app.addHook(
    'preHandler',
    hook(request => (request.body === undefined ? undefined : decideAgain(request))),
  );
});

interface PathParams {
  apiRoot: string;
  collection: string;
}
