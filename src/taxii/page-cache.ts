import { LRUCache } from 'lru-cache';
import {
  everything,
  type ObjectFilter,
  type ObjectPage,
  type PageBounds,
  pageObjects,
  type Reader,
} from '../db/objects.ts';
import type { KnownCollection, Replicas } from '../db/replicas.ts';
import type { Watch } from '../db/watch.ts';

/** Who reads where: what its grant says, read together with the collection, and the generation of the watch before that. */
interface Access {
  collection: KnownCollection;
  reader: Reader;
  generation: number;
}

/** Reads a page of objects. */
export type ReadObjects = (
  access: Access,
  filter: ObjectFilter,
  bounds: PageBounds,
) => Promise<ObjectPage> | ObjectPage;

interface Kept {
  page: ObjectPage;
  until: PageBounds['until'];
}

// What a page takes beside its texts and its key.
const overheadBytes = 1000;

/**
 * Reads pages and keeps those that were asked for last. What makes a kept page the one that would be read now
 * (ARCHITECTURE.md, invariant 14) stands in its key, but for what has been added since. Those who ask the same at the same
 * time share one statement: clients that wait for a collection wake together.
 * @param bytesMax of all pages that are kept; 0: none is
 */
export function cachePages(
  replicas: Pick<Replicas, 'read'>,
  watch: Pick<Watch, 'generation'>,
  bytesMax: number,
): ReadObjects {
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, bytesMax),
    // One that is larger would drive out too many others.
    maxEntrySize: Math.max(1, Math.floor(bytesMax / 8)),
    sizeCalculation: ({ page }, key) => overheadBytes + key.length + page.bytes + 16 * page.dates.length,
  });
  const underWay = new Map<string, Promise<ObjectPage>>();

  return ({ collection, reader, generation }, filter, bounds) => {
    const { until, ...question } = bounds;
    const { id, past_revision } = collection;
    const asked = toAnybody(reader, bounds);
    const readNow = () => replicas.read(collection, bounds, db => pageObjects(db, id, asked, filter, bounds));
    // Its collection may be another database's than the pages that are kept.
    if (generation !== watch.generation) return readNow();
    const key = JSON.stringify([id, generation, past_revision, asked, filter, question]);
    const found = kept.get(key);
    if (found && isCurrent(found, until)) return found.page;
    const readKey = `${until} ${key}`;
    const reading =
      underWay.get(readKey) ??
      readNow()
        .then(page => {
          kept.set(key, { page, until });
          return page;
        })
        .finally(() => underWay.delete(readKey));
    underWay.set(readKey, reading);
    return reading;
  };
}

// What was added since follows a full page, and belongs to the last one. A page that goes further than its reader knows of
// may lack a replay that is the reader's alone.
function isCurrent(kept: Kept, until: PageBounds['until']): boolean {
  return kept.page.more ? kept.until <= until : kept.until === until;
}

// Where nothing lies above a ceiling, it is of no matter which partner reads: what it sent itself it sees anyway. What was
// replayed to it stands no later than replayed_last, and stood earlier before.
function toAnybody(reader: Reader, { levels, after }: PageBounds): Reader {
  const { ceiling, replayedLast } = reader;
  const isAnybody = levels.every(level => level <= ceiling) && (replayedLast === null || replayedLast <= after);
  return isAnybody ? { partnerId: everything.partnerId, ceiling, replayedLast: null } : reader;
}
