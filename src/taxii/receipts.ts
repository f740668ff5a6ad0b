import { isDeepStrictEqual } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { ObjectRow, Reader } from '../db/objects.ts';
import type { Db } from '../db/pool.ts';
import { type DateRun, type NewReceipt, type ReceiptExtension, writeReceipts } from '../db/receipts.ts';
import { HubError } from '../errors.ts';
import { type TaxiiTimestamp, toMicros } from './timestamp.ts';

/** What one answer hands out. */
export interface HandedOut {
  partnerId: string;
  collectionId: string;
  rows: Pick<ObjectRow, 'date_added' | 'stored_at'>[];
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
  rows: ObjectRow[],
): Promise<void> {
  if (method === 'HEAD') return;
  await receipts.record({ partnerId: reader.partnerId, collectionId: collection.id, rows });
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
  const open = new LRUCache<string, OpenReceipt>({ max: 10_000, ttl: receiptMs });
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
      if (handedOut.rows.length === 0) return;
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
  const added: (NewReceipt & { key: string })[] = [];
  const extended: (ReceiptExtension & { key: string; receipt: OpenReceipt; together: DateRun[] })[] = [];
  for (const [key, { partnerId, collectionId, runs }] of joinReaders(batch)) {
    const receipt = open.get(key);
    const together = joinRuns([...(receipt?.runs ?? []), ...runs]);
    if (receipt && isDeepStrictEqual(together, receipt.runs)) continue;
    if (receipt && together.length <= runsMax) {
      extended.push({ key, id: receipt.id, collectionId, runs, receipt, together });
    } else added.push({ key, partnerId, collectionId, runs });
  }
  if (added.length + extended.length === 0) return;
  const ids = await writeReceipts(db, added, extended).catch(error => {
    // Whatever has become of them: the next try begins new ones.
    for (const { key } of extended) open.delete(key);
    throw error;
  });
  for (const { receipt, together } of extended) receipt.runs = together;
  for (const [index, { key, runs }] of added.entries()) {
    if (runs.length <= runsMax) open.set(key, { id: ids[index] as string, runs });
  }
}

/** One entry for each partner and collection of a batch. */
function joinReaders(batch: Waiting[]): Map<string, NewReceipt> {
  const readers = new Map<string, NewReceipt>();
  for (const { handedOut } of batch) {
    const { partnerId, collectionId, rows } = handedOut;
    const dates = rows.map(row => row.stored_at ?? row.date_added);
    const key = `${partnerId} ${collectionId}`;
    const runs = [...(readers.get(key)?.runs ?? []), ...toRuns(dates)];
    readers.set(key, { partnerId, collectionId, runs: joinRuns(runs) });
  }
  return readers;
}

/** Puts dates that follow each other by a microsecond together: a batch that was added at once is one run. */
export function toRuns(dates: TaxiiTimestamp[]): DateRun[] {
  const ends: { first: TaxiiTimestamp; last: TaxiiTimestamp }[] = [];
  for (const date of [...dates].sort()) {
    const run = ends.at(-1);
    if (run && isNext(run.last, date)) run.last = date;
    else ends.push({ first: date, last: date });
  }
  return ends.map(({ first, last }) => ({ first: toMicros(first), last: toMicros(last) }));
}

// As texts, since most dates of a page are within a run and need not be computed with. A run ends with its second.
function isNext(date: TaxiiTimestamp, later: TaxiiTimestamp): boolean {
  return Number(later.slice(20, 26)) === Number(date.slice(20, 26)) + 1 && later.startsWith(date.slice(0, 20));
}

/** The same dates in as few runs as it takes, in order. */
export function joinRuns(runs: DateRun[]): DateRun[] {
  const joined: DateRun[] = [];
  for (const { first, last } of [...runs].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const run = joined.at(-1);
    if (run && first <= run.last + 1n) run.last = last > run.last ? last : run.last;
    else joined.push({ first, last });
  }
  return joined;
}
