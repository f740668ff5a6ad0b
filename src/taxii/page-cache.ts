import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
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

/** In turn: a few at once, so that thousands of clients which come again or wake together leave connections to others. */
export type Pace = 'now' | 'in turn';

/** Reads a page of objects. @param pace of what has to be read; what is kept is there at once */
export type ReadObjects = (
  access: Access,
  filter: ObjectFilter,
  bounds: PageBounds,
  pace?: Pace,
) => Promise<ObjectPage> | ObjectPage;

interface Kept {
  page: ObjectPage;
  until: PageBounds['until'];
}

// Enough to keep PostgreSQL busy.
const inTurnMax = 4;
// What a page takes beside its texts and its key.
const overheadBytes = 1000;

/**
 * Reads pages and keeps those that were asked for last. What makes a kept page the one that would be read now
 * (ARCHITECTURE.md, invariant 14) stands in its key, but for what has been added since. Those who ask the same at the same
 * time share one statement: clients that wait for a collection wake together.
 * @param bytesMax of all pages that are kept; 0: none is
 * @param readsMax how many are read in turn at once
 */
export function cachePages(
  replicas: Pick<Replicas, 'read'>,
  watch: Pick<Watch, 'generation'>,
  bytesMax: number,
  readsMax = inTurnMax,
): ReadObjects {
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, bytesMax),
    // One that is larger would drive out too many others.
    maxEntrySize: Math.max(1, Math.floor(bytesMax / 8)),
    sizeCalculation: ({ page }, key) => overheadBytes + key.length + page.bytes + 16 * page.dates.length,
  });
  const underWay = new Map<string, Promise<ObjectPage>>();
  const share = (key: string, readNow: () => Promise<ObjectPage>): Promise<ObjectPage> => {
    const reading = underWay.get(key) ?? readNow().finally(() => underWay.delete(key));
    underWay.set(key, reading);
    return reading;
  };
  const inTurn = pLimit(Math.min(readsMax, inTurnMax));

  return ({ collection, reader, generation }, filter, bounds, pace = 'now') => {
    const { until, ...question } = bounds;
    const { id, past_revision } = collection;
    const asked = toAnybody(reader, bounds);
    const readNow = () => replicas.read(collection, bounds, db => pageObjects(db, id, asked, filter, bounds));
    // Its collection may be another database's than the pages that are kept.
    if (generation !== watch.generation) return pace === 'now' ? readNow() : inTurn(readNow);
    const key = JSON.stringify([id, generation, past_revision, asked, filter, question]);
    const findKept = () => {
      const found = kept.get(key);
      return found && isCurrent(found, until) ? found.page : undefined;
    };
    const readAndKeep = async () => {
      const page = await readNow();
      kept.set(key, { page, until });
      return page;
    };
    const readKey = `${until} ${key}`;
    const read = () => findKept() ?? share(readKey, readAndKeep);
    if (pace === 'now') return read();
    // Whoever will not wait for a turn must not find this one under way.
    return findKept() ?? underWay.get(readKey) ?? share(`in turn ${readKey}`, () => inTurn(read));
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
