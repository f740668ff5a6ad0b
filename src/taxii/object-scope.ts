import { hasObject, type Reader } from '../db/objects.ts';
import type { Db } from '../db/pool.ts';
import { HubError } from '../errors.ts';
import { isIdentifier } from '../stix/identifier.ts';

/** The STIX id in a path. @throws HubError object-not-found where it is no id at all: nothing can have it */
export function readObjectId(params: unknown): string {
  const { objectId } = params as { objectId: string };
  if (!isIdentifier(objectId)) throw objectNotFound();
  return objectId;
}

/**
 * Tells an object that is not there (404) from one whose versions were all filtered away (TAXII 2.1 §5.6).
 * @throws HubError object-not-found
 */
export async function requireObject(db: Db, collectionId: string, reader: Reader, objectId: string): Promise<void> {
  if (!(await hasObject(db, collectionId, reader, objectId))) throw objectNotFound();
}

/** The same answer for an object that is not there and, to DELETE, for one of another partner. */
export function objectNotFound(): HubError {
  return new HubError('object-not-found', 'There is no such object for you in this collection.');
}
