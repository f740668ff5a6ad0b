import { type Actor, appendAudit } from '../db/audit.ts';
import { lockCollection, setDateAddedLast } from '../db/collections.ts';
import { findGrant, setReplayedLast, setUncoveredReplayed } from '../db/grants.ts';
import { listVersionsOfOthers, type PageBounds, type PlacedVersion } from '../db/objects.ts';
import type { Db, Tx } from '../db/pool.ts';
import { insertReplays } from '../db/replays.ts';
import { type TlpLevel, tlpLevels } from '../stix/tlp.ts';
import { chooseDates } from './dates.ts';
import { beginning, type TaxiiTimestamp } from './timestamp.ts';

// The transaction of a batch holds the collection's lock.
const batchVersionsMax = 5000;

interface ReplayOptions {
  /** all of other partners that was added later and that it may see; else what a raise of its ceiling has uncovered */
  since?: TaxiiTimestamp | undefined;
  actor: Actor;
  /** called after each batch, with the number of versions so far */
  onProgress?: (count: number) => void;
}

/**
 * Makes versions come again for one partner alone: they get dates after all others of the collection, as if they were added
 * now, so that invariant 1 (ARCHITECTURE.md) holds for this partner too.
 * @returns how many come again; undefined where the partner may not read, or no raise has uncovered anything
 */
export async function replay(
  db: Db,
  partner: { id: string; slug: string },
  collectionId: string,
  { since, actor, onProgress = () => {} }: ReplayOptions,
): Promise<number | undefined> {
  const range = await findRange(db, partner.id, collectionId, since);
  if (!range) return undefined;
  const bounds = { ...range, after: since ?? beginning, levels: tlpLevels, objectsMax: batchVersionsMax };
  let count = 0;
  for (let isDone = false; !isDone; ) {
    const versions = await db.transaction().execute(tx => replayBatch(tx, partner.id, collectionId, bounds));
    bounds.after = versions.at(-1)?.date_added ?? bounds.after;
    count += versions.length;
    isDone = versions.length === 0;
    onProgress(count);
  }
  await db.transaction().execute(async tx => {
    if (since === undefined) await setUncoveredReplayed(tx, partner.id, collectionId, range);
    const details = { versions: count, since: since ?? null };
    await appendAudit(tx, actor, { chain: collectionId, action: 'objects-replayed', subject: partner.slug, details });
  });
  return count;
}

interface Range {
  ceiling: TlpLevel;
  above: TlpLevel;
  until: TaxiiTimestamp;
}

async function findRange(
  db: Db,
  partnerId: string,
  collectionId: string,
  since: TaxiiTimestamp | undefined,
): Promise<Range | undefined> {
  const grant = await findGrant(db, partnerId, collectionId);
  if (!grant?.can_read) return undefined;
  const ceiling = grant.tlp_ceiling;
  if (since !== undefined) {
    // What is added from now on comes by itself.
    const { date_added_last } = await db.transaction().execute(tx => lockCollection(tx, collectionId));
    return { ceiling, above: -1, until: date_added_last };
  }
  const { replay_above, replay_until } = grant;
  return replay_above === null || replay_until === null
    ? undefined
    : { ceiling, above: replay_above, until: replay_until };
}

async function replayBatch(
  tx: Tx,
  partnerId: string,
  collectionId: string,
  { ceiling, ...bounds }: Omit<PageBounds, 'bytesMax'> & Range,
): Promise<PlacedVersion[]> {
  const { date_added_last, now } = await lockCollection(tx, collectionId);
  const versions = await listVersionsOfOthers(tx, collectionId, { partnerId, ceiling, replayedLast: null }, bounds);
  if (versions.length > 0) {
    const dates = chooseDates(date_added_last, now, versions.length);
    await insertReplays(tx, { partnerId, collectionId }, dates.first, versions);
    await setDateAddedLast(tx, collectionId, dates.last);
    await setReplayedLast(tx, partnerId, collectionId, dates.last);
  }
  return versions;
}
