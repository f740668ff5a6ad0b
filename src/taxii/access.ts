import type { Principal } from '../auth/principal.ts';
import { type Rights, rightsIn } from '../auth/scopes.ts';
import { type ApiRootRow, defaultApiRoot, findApiRoot } from '../db/collections.ts';
import { type GrantedCollection, listGrantedCollections } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import { HubError } from '../errors.ts';

/** What an operation on a collection needs. */
export type NeededRight = 'any' | 'read' | 'write' | 'delete';

/**
 * Decides whether a partner may do an operation in a collection, by TAXII 2.1 §5.1-5.8 and the table of §5.7: with
 * neither right the collection is not there (404); with one right but not the needed one it is forbidden (403).
 * @throws HubError collection-not-found, read-forbidden or write-forbidden
 */
export function requireRight(rights: Rights, needed: NeededRight): void {
  if (!rights.read && !rights.write) throw collectionNotFound();
  if ((needed === 'read' || needed === 'delete') && !rights.read) {
    throw new HubError('read-forbidden', `Your token does not allow ${verbs[needed]} in this collection.`);
  }
  if ((needed === 'write' || needed === 'delete') && !rights.write) {
    throw new HubError('write-forbidden', `Your token does not allow ${verbs[needed]} in this collection.`);
  }
}

const verbs = { read: 'reading', write: 'adding objects', delete: 'deleting, which takes both rights,' };

/** The same answer for a collection that does not exist and for one that does not exist for this partner. */
export function collectionNotFound(): HubError {
  return new HubError('collection-not-found', 'There is no such collection for you in this API root.');
}

/** The collections that are there for a request, by id, with what it may do in them; of one API root where given. */
export async function listVisibleCollections(
  db: Db,
  { partnerId, scopes }: Principal,
  apiRoot?: string,
): Promise<{ collection: GrantedCollection; rights: Rights }[]> {
  const granted = await listGrantedCollections(db, partnerId, apiRoot);
  return granted
    .map(collection => ({ collection, rights: rightsIn(scopes, collection) }))
    .filter(({ rights }) => rights.read || rights.write);
}

/**
 * An API root and the collections in it that are there for a request. The default root is no secret; that there is another
 * one is told only to those who have a collection in it.
 * @throws HubError api-root-not-found
 */
export async function findVisibleRoot(
  db: Db,
  principal: Principal,
  apiRoot: string,
): Promise<{ root: ApiRootRow; visible: { collection: GrantedCollection; rights: Rights }[] }> {
  const root = await findApiRoot(db, apiRoot);
  const visible = root ? await listVisibleCollections(db, principal, apiRoot) : [];
  if (!root || (visible.length === 0 && apiRoot !== defaultApiRoot)) {
    throw new HubError('api-root-not-found', 'There is no such API root for you. Discovery at /taxii2/ lists yours.');
  }
  return { root, visible };
}
