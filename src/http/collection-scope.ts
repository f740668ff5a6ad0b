import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { rememberGrants } from '../auth/grant-memory.ts';
import { type Rights, rightsIn } from '../auth/scopes.ts';
import type { GrantedCollection } from '../db/grants.ts';
import type { Reader } from '../db/objects.ts';
import type { Hub } from '../hub.ts';
import { collectionNotFound, type NeededRight, requireRight } from '../taxii/access.ts';
import { hook } from './hook.ts';

/** What a request may do in the collection in its path. */
export interface Access {
  collection: GrantedCollection;
  /** what the token says, within the partner's grant */
  rights: Rights;
  /** who reads in it, and so what is there */
  reader: Reader;
  /** of the watch when it was decided, or an earlier one: revisions of another one are not to be compared */
  generation: number;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** decides access as of now, for a request that lasts. @throws HubError as at its beginning */
    decideAgain(request: FastifyRequest): Promise<Access>;
  }
  /** set for every route registered after `collectionScope` */
  interface FastifyRequest extends Access {}
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
  for (const property of ['collection', 'rights', 'reader', 'generation']) app.decorateRequest(property);
  const findGranted = rememberGrants(hub.db, hub.watch);
  const decide = (request: FastifyRequest): Promise<Access> | Access => {
    const { generation } = hub.watch;
    const { collection: idOrAlias } = request.params as PathParams;
    const granted = findGranted(request.principal.partnerId, idOrAlias);
    if (granted instanceof Promise) return granted.then(found => toAccess(request, found, generation));
    return toAccess(request, granted, generation);
  };
  const decideAgain = async (request: FastifyRequest): Promise<Access> => {
    request.principal = await app.identify(request);
    await app.requireAllowedAddress(request);
    return decide(request);
  };
  app.decorate('decideAgain', decideAgain);
  const enter = (request: FastifyRequest, access: Promise<Access> | Access): Promise<void> | void => {
    if (access instanceof Promise) return access.then(decided => enter(request, decided));
    Object.assign(request, access);
  };
  app.addHook(
    'onRequest',
    hook(request => enter(request, decide(request))),
  );
  // A body may take minutes to come, in which its sender can lose the credential or the grant.
  app.addHook(
    'preHandler',
    hook(request => (request.body === undefined ? undefined : enter(request, decideAgain(request)))),
  );
});

interface PathParams {
  apiRoot: string;
  collection: string;
}

/** @throws HubError where there is no such collection for the partner, or no such right */
function toAccess(request: FastifyRequest, collection: GrantedCollection | undefined, generation: number): Access {
  const { partnerId, scopes } = request.principal;
  const { apiRoot } = request.params as PathParams;
  const { needs } = request.routeOptions.config;
  if (!collection || collection.api_root !== apiRoot || !needs) throw collectionNotFound();
  const rights = rightsIn(scopes, collection);
  requireRight(rights, needs);
  const { tlp_ceiling: ceiling, replayed_last: replayedLast } = collection.grant;
  return { collection, rights, reader: { partnerId, ceiling, replayedLast }, generation };
}
