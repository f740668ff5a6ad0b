import { LRUCache } from 'lru-cache';
import type { Reader } from '../db/objects.ts';
import type { Db } from '../db/pool.ts';
import { type ChangedReceipt, changeReceipts, insertReceipts, type NewReceipt } from '../db/receipts.ts';
import { HubError } from '../errors.ts';
import { type DateRun, encodeRuns, isSame, joinRuns } from './date-runs.ts';

/** What one answer hands out. */
export interface HandedOut {
  partnerId: string;
  collectionId: string;
  /** the dates in the collection of what it holds, in order */
  dates: DateRun[];
}

export interface Receipts {
  /**
   * Notes that a partner is handed these versions. Await it before the answer is sent: what cannot be noted must not leave.
   * @throws HubError overloaded; and whatever the database throws
   */
  record(handedOut: HandedOut): Promise<void>;
}

/** Notes a page of objects for the partner that asked for it. HEAD hands nothing out. */
export async function recordPage(
  { receipts }: { receipts: Receipts },
  { method, reader, collection }: { method: string; reader: Reader; collection: { id: string } },
  dates: DateRun[],
): Promise<void> {
  if (method === 'HEAD') return;
  await receipts.record({ partnerId: reader.partnerId, collectionId: collection.id, dates });
}

const waitingMax = 10_000;
// What a receipt spans, and how long it may become: each extension writes the row anew.
const receiptMs = 60_000;
const runsMax = 100;

/** A receipt that can be extended still. */
interface OpenReceipt {
  id: string;
  runs: DateRun[];
}

interface Waiting {
  handedOut: HandedOut;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Makes what notes deliveries on this node. Notes that come while others are being written are written together, so that
 * the database sees one statement at a time of each node, however many partners read.
 */
export function createReceipts(db: Db): Receipts {
  const open = new LRUCache<string, OpenReceipt>({ max: 2000, ttl: receiptMs });
  let waiting: Waiting[] = [];
  let isWriting = false;

  async function writeWaiting(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(db, open, batch);
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    isWriting = false;
  }

  return {
    async record(handedOut) {
      if (handedOut.dates.length === 0) return;
      if (waiting.length >= waitingMax) {
        throw new HubError('overloaded', 'The hub is busy noting what it hands out. Try again shortly.');
      }
      await new Promise<void>((resolve, reject) => {
        waiting.push({ handedOut, resolve, reject });
        if (!isWriting) writeWaiting();
      });
    },
  };
}

async function write(db: Db, open: LRUCache<string, OpenReceipt>, batch: Waiting[]): Promise<void> {
  const added: (NewReceipt & { key: string; runs: DateRun[] })[] = [];
  const changed: (ChangedReceipt & { key: string; runs: DateRun[]; receipt: OpenReceipt })[] = [];
  for (const [key, { partnerId, collectionId, runs }] of joinReaders(batch)) {
    const receipt = open.get(key);
    const together = receipt ? joinRuns([...receipt.runs, ...runs]) : runs;
    if (receipt && isSame(together, receipt.runs)) continue;
    if (receipt && together.length <= runsMax) {
      changed.push({ key, id: receipt.id, collectionId, dates: encodeRuns(together), runs: together, receipt });
    } else added.push({ key, partnerId, collectionId, dates: encodeRuns(runs), runs });
  }
  if (changed.length > 0) {
    await changeReceipts(db, changed).catch(error => {
      // Whatever has become of them: the next try begins new ones.
      for (const { key } of changed) open.delete(key);
      throw error;
    });
    for (const { receipt, runs } of changed) receipt.runs = runs;
  }
  const ids = added.length > 0 ? await insertReceipts(db, added) : [];
  for (const [index, { key, runs }] of added.entries()) {
    if (runs.length <= runsMax) open.set(key, { id: ids[index] as string, runs });
  }
}

/** All that a partner is handed of a collection by one batch. */
interface Reading {
  partnerId: string;
  collectionId: string;
  runs: DateRun[];
}

function joinReaders(batch: Waiting[]): Map<string, Reading> {
  const readers = new Map<string, Reading>();
  for (const { handedOut } of batch) {
    const { partnerId, collectionId, dates } = handedOut;
    const key = `${partnerId} ${collectionId}`;
    const before = readers.get(key);
    readers.set(key, { partnerId, collectionId, runs: before ? joinRuns([...before.runs, ...dates]) : dates });
  }
  return readers;
}
