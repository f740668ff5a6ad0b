import { fromMicros, type TaxiiTimestamp, toMicros } from './timestamp.ts';

/**
 * The dates of n versions that are added to a collection, one microsecond apart: later than all before, and the last one a
 * whole millisecond, since a client that truncates X-TAXII-Date-Added-Last to milliseconds would else be handed the last
 * objects again at every poll. Pure, so that the property tests can try all of it.
 */
export function chooseDates(
  dateAddedLast: TaxiiTimestamp,
  now: TaxiiTimestamp,
  n: number,
): { first: TaxiiTimestamp; last: TaxiiTimestamp } {
  const earliest = toMicros(dateAddedLast) + BigInt(n);
  const clock = toMicros(now);
  const last = (((clock > earliest ? clock : earliest) + 999n) / 1000n) * 1000n;
  return { first: fromMicros(last - BigInt(n - 1)), last: fromMicros(last) };
}
