import { type Actor, appendToChain, type ChainEntry, type ChainHead, lockChain, startChain } from '../db/audit.ts';
import { type CollectionRow, lockCollection, setDateAddedLast } from '../db/collections.ts';
import { allOver, keepBusy } from '../db/pipeline.ts';
import type { Tx } from '../db/pool.ts';
import { countBytes, storedBytes } from '../db/storage.ts';
import { alongWith, readTogether, type Statements, writeTogether } from '../db/together.ts';
import { addVersions, type KnownVersion, knownSpellings, knownVersions, updateEnds } from '../db/versions.ts';
import { addToBatch, type Batch } from './batch.ts';
import { fetchUnequalTexts, type HeldObjects, noteHeld, versionOf } from './held-objects.ts';
import { type Candidate, isCandidate, type Judged, type Outcome } from './judging.ts';
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
  // What is read comes after the lock, and each statement sees what was committed before it.
  const [{ now, ...collection }, { held, storedBefore, head }] = await allOver(
    lockCollection(tx, collectionId),
    findHeld(tx, collectionId, envelopes),
  );
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
  const sending = sendVersions(tx, batch);
  // Sent while PostgreSQL still writes the versions.
  const finish = async (): Promise<CollectionRow> => {
    const [others] = await allOver(alongside(outcomes), sending);
    if (entries.length > 0) {
      Object.assign(others, appendToChain(collectionId, head ?? (await startChain(tx, collectionId)), entries));
    }
    return finishBatch(tx, batch, storedBefore, others);
  };
  const [, finished] = await allOver(
    sending.then(({ done }) => done),
    finish(),
  );
  return { outcomes, collection: finished };
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
  const read = async (piece: Candidate[]) => {
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
  };
  const pieces = piecesOf(candidates, one => one.bytes.length);
  await (await keepBusy(pieces, read)).done;
  return found;
}

/** @returns once the statements are sent: what waits for the versions to be written */
async function sendVersions(
  tx: Tx,
  { collection, added, changed, dateAddedFirst }: Batch,
): Promise<{ done: Promise<unknown> }> {
  for (const one of added) changed.delete(one);
  const updates = [...piecesOf([...changed], () => 0)].map(piece => () => updateEnds(tx, collection.id, piece));
  const inserts = [...piecesOf(added, one => one.text.length)].map(
    piece => () => addVersions(tx, collection.id, dateAddedFirst, piece),
  );
  return keepBusy(added.length > 0 ? [...updates, ...inserts] : [], send => send());
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
