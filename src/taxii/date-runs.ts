import type { ReceiptDates } from '../db/receipts.ts';
import { fromMicros, type TaxiiTimestamp } from './timestamp.ts';

/** Dates that follow each other by a microsecond, in microseconds since 1970: a batch that was added at once is one run. */
export interface DateRun {
  first: number;
  last: number;
}

/**
 * Adds a date to runs that may be in any order; `joinRuns` puts them into it.
 * @param micros since 1970: a number holds those of every year up to 2255
 */
export function appendDate(runs: DateRun[], micros: number): void {
  const run = runs.at(-1);
  if (run && micros === run.last + 1) run.last = micros;
  else runs.push({ first: micros, last: micros });
}

/** The same dates in as few runs as it takes, in order. */
export function joinRuns(runs: DateRun[]): DateRun[] {
  const joined: DateRun[] = [];
  for (const { first, last } of [...runs].sort((a, b) => a.first - b.first)) {
    const run = joined.at(-1);
    if (run && first <= run.last + 1) run.last = Math.max(run.last, last);
    else joined.push({ first, last });
  }
  return joined;
}

/** Whether two lists of runs, both in order, are the same. */
export function isSame(runs: DateRun[], others: DateRun[]): boolean {
  return (
    runs.length === others.length &&
    runs.every(({ first, last }, index) => first === others[index]?.first && last === others[index]?.last)
  );
}

/** Writes runs as a receipt keeps them (migrations/0008_receipts.sql). @param runs in order, at least one */
export function encodeRuns(runs: DateRun[]): ReceiptDates {
  const bytes = Buffer.alloc(16 * runs.length);
  for (const [index, { first, last }] of runs.entries()) {
    bytes.writeBigInt64BE(BigInt(first), 16 * index);
    bytes.writeBigInt64BE(BigInt(last), 16 * index + 8);
  }
  const [first, last] = [runs[0]?.first ?? 0, runs.at(-1)?.last ?? 0].map(micros => fromMicros(BigInt(micros)));
  return { first: first as TaxiiTimestamp, last: last as TaxiiTimestamp, runs: bytes };
}
