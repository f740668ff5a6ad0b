import { type Actor, appendToChain, type ChainEntry, type ChainHead, lockChain, startChain } from '../db/audit.ts';
import { type CollectionRow, lockCollection, setDateAddedLast } from '../db/collections.ts';
import type { Tx } from '../db/pool.ts';
import { countBytes, storedBytes } from '../db/storage.ts';
import { alongWith, readTogether, type Statements, writeTogether } from '../db/together.ts';
import { type KnownVersion, knownSpellings, knownVersions, newVersions, updateEnds } from '../db/versions.ts';
import { addToBatch, type Batch } from './batch.ts';
import { fetchUnequalTexts, type HeldObjects, noteHeld, versionOf } from './held-objects.ts';
import { isCandidate, type Judged, type Outcome } from './judging.ts';
import { piecesOf, Turn } from './turns.ts';

/** For whom objects are added, and who does it. */
export interface Sender {
  partnerId: string;
  partner: string;
  actor: Actor;
  /** of what the partner stores in the collection; an object beyond it is refused. Absent: no bound */
  quotaBytes?: number | undefined;
}

/** What one sender sends at once. */
export interface JudgedEnvelope {
  sender: Sender;
  judged: Judged[];
}

/** What became of envelopes. */
export interface Admission {
  /** of each envelope, for each of its elements, in order */
  outcomes: Outcome[][];
  /** the collection as the transaction leaves it */
  collection: CollectionRow;
}

/**
 * Adds the objects of envelopes to a collection, one after the other, each as if those before it had been committed: the
 * invariants of polling and of ownership (ARCHITECTURE.md, invariants 1 and 4) are kept here, under the collection's lock,
 * which is held until the transaction ends.
 * @param alongside makes what else is to be written, from the outcomes
 */
export async function admit(
  tx: Tx,
  collectionId: string,
  envelopes: JudgedEnvelope[],
  alongside: (outcomes: Outcome[][]) => Promise<Statements> = async () => ({}),
): Promise<Admission> {
  const { now, ...collection } = await lockCollection(tx, collectionId);
  const { held, storedBefore, head } = await findHeld(tx, collectionId, envelopes);
  const batch: Batch = {
    collection,
    now,
    held,
    stored: new Map(storedBefore),
    added: [],
    dateAddedFirst: collection.date_added_last,
    dateAddedLast: collection.date_added_last,
    changed: new Set(),
  };
  const turn = new Turn({ isFirst: true });
  const outcomes: Outcome[][] = [];
  const entries: ChainEntry[] = [];
  for (const envelope of envelopes) {
    const { outcomes: each, entry } = await addToBatch(batch, envelope, turn);
    outcomes.push(each);
    if (entry) entries.push(entry);
  }
  const others = await whileWriting(writeVersions(tx, batch), alongside(outcomes));
  if (entries.length > 0) {
    Object.assign(others, appendToChain(collectionId, head ?? (await startChain(tx, collectionId)), entries));
  }
  return { outcomes, collection: await finishBatch(tx, batch, storedBefore, others) };
}

interface Found {
  held: HeldObjects;
  storedBefore: Map<string, number>;
  /** of the collection's chain of the audit log; undefined where nothing was told of it yet */
  head: ChainHead | undefined;
}

/** Finds what matters for what is coming, and locks the chain of the audit log. */
async function findHeld(tx: Tx, collectionId: string, envelopes: JudgedEnvelope[]): Promise<Found> {
  const held: HeldObjects = { objects: new Map(), owners: new Map() };
  const found: Found = { held, storedBefore: new Map(), head: undefined };
  const partnerIds = [...new Set(envelopes.map(({ sender }) => sender.partnerId))];
  const candidates = envelopes.flatMap(({ judged }) => judged.filter(isCandidate));
  for (const piece of piecesOf(candidates, one => one.bytes.length)) {
    const { known, spellings, stored, chain } = await readTogether<{
      known: KnownVersion;
      spellings: { id: string; added_by: string };
      stored: { partner_id: string; bytes: number };
      chain: ChainHead;
    }>(tx, {
      known: knownVersions(
        collectionId,
        piece.map(one => ({ objectId: one.id, version: versionOf(one, '') })),
      ),
      spellings: knownSpellings(
        collectionId,
        piece.map(({ id }) => id),
      ),
      stored: storedBytes(collectionId, partnerIds),
      chain: lockChain(collectionId),
    });
    noteHeld(held, known, spellings);
    await fetchUnequalTexts(tx, collectionId, piece, held.objects);
    // The same each time: these are changed under the locks alone.
    found.storedBefore = new Map(stored.map(({ partner_id, bytes }) => [partner_id, bytes]));
    found.head = chain[0];
  }
  return found;
}

/** Waits for both: were one to fail, the other must not go on when the transaction has ended. */
async function whileWriting<Made>(writing: Promise<void>, making: Promise<Made>): Promise<Made> {
  await Promise.allSettled([writing, making]);
  await writing;
  return making;
}

async function writeVersions(tx: Tx, { collection, added, changed, dateAddedFirst }: Batch): Promise<void> {
  if (added.length === 0) return;
  for (const one of added) changed.delete(one);
  for (const piece of piecesOf([...changed], () => 0)) await updateEnds(tx, collection.id, piece);
  let writing: Promise<unknown> | undefined;
  for (const piece of piecesOf(added, one => one.text.length)) {
    // Made while PostgreSQL writes the one before.
    const statement = newVersions(collection.id, dateAddedFirst, piece);
    await writing;
    writing = statement.execute(tx);
  }
  await writing;
}

/**
 * Writes what is left once the versions are written.
 * @param others what is written along with it
 * @returns the collection as it is then
 */
async function finishBatch(
  tx: Tx,
  batch: Batch,
  storedBefore: Map<string, number>,
  others: Statements,
): Promise<CollectionRow> {
  const { collection, added, changed, dateAddedLast, stored } = batch;
  if (added.length === 0) {
    await writeTogether(tx, others);
    return collection;
  }
  const bytes = [...stored].map(([id, bytes]) => [id, bytes - (storedBefore.get(id) ?? 0)] as const);
  const counted = countBytes(collection.id, new Map(bytes.filter(([, more]) => more > 0)));
  const levels = [...new Set(added.map(({ tlp }) => tlp))];
  const isPastChanged = changed.size > 0;
  return setDateAddedLast(alongWith(tx, { ...others, counted }), collection.id, dateAddedLast, {
    levels,
    isPastChanged,
  });
}
