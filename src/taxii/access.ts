import { type Rights, rightsIn, type Scope } from '../auth/scopes.ts';
import {
  type ApiRootRow,
  type CollectionRow,
  defaultApiRoot,
  findApiRoot,
  listCollections,
} from '../db/collections.ts';
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

/** Whether the collection exists for the holder of these scopes. */
export function isVisible(scopes: Scope[], collection: CollectionRow): boolean {
  const { read, write } = rightsIn(scopes, collection);
  return read || write;
}

/**
 * An API root and the collections in it that are there for the holder of these scopes, ordered by id. The default root
 * is no secret; that there is another one is told only to those who have a collection in it.
 * @throws HubError api-root-not-found
 */
export async function findVisibleCollections(
  db: Db,
  apiRoot: string,
  scopes: Scope[],
): Promise<{ root: ApiRootRow; collections: CollectionRow[] }> {
  const root = await findApiRoot(db, apiRoot);
  const collections = root ? (await listCollections(db, apiRoot)).filter(one => isVisible(scopes, one)) : [];
  if (!root || (collections.length === 0 && apiRoot !== defaultApiRoot)) {
    throw new HubError('api-root-not-found', 'There is no such API root for you. Discovery at /taxii2/ lists yours.');
  }
  return { root, collections };
}
