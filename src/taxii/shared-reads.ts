import { type CollectionRow, levelsOf } from '../db/collections.ts';
import {
  everything,
  type ObjectFilter,
  type ObjectPage,
  type PageBounds,
  pageObjects,
  type Reader,
} from '../db/objects.ts';
import type { Replicas } from '../db/replicas.ts';

/** Reads a page of a collection, for a reader whose grant was read together with the collection. */
export type ReadObjects = (
  collection: CollectionRow,
  reader: Reader,
  filter: ObjectFilter,
  bounds: PageBounds,
) => Promise<ObjectPage>;

/**
 * Readers of pages, of whom those that ask the same at the same time share one statement: clients that wait for a
 * collection wake together. One that knows of a later change of what was there already asks anew.
 */
export function shareReads(replicas: Pick<Replicas, 'read'>): ReadObjects {
  const underWay = new Map<string, Promise<ObjectPage>>();
  return (collection, reader, filter, bounds) => {
    const anybody = toAnybody(collection, reader, bounds);
    const { id, past_revision, grants_revision } = collection;
    const key = JSON.stringify([id, past_revision, grants_revision, anybody, filter, bounds]);
    const shared = underWay.get(key);
    if (shared) return shared;
    const page = replicas
      .read(collection, bounds, db => pageObjects(db, id, anybody, filter, bounds))
      .finally(() => underWay.delete(key));
    underWay.set(key, page);
    return page;
  };
}

// Where there is nothing above a ceiling, it is of no matter which partner reads: what it sent itself it sees anyway. What
// was replayed to it stands no later than replayed_last, and stood earlier before.
function toAnybody(collection: CollectionRow, reader: Reader, { after }: PageBounds): Reader {
  const { ceiling, replayedLast } = reader;
  const isAnybody = levelsOf(collection).every(level => level <= ceiling) && (replayedLast ?? '') <= after;
  return isAnybody ? { partnerId: everything.partnerId, ceiling, replayedLast: null } : reader;
}
