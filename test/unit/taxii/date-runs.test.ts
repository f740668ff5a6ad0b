import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendDate, type DateRun, joinRuns } from '../../../src/taxii/date-runs.ts';
import { fromMicros, toMicros } from '../../../src/taxii/timestamp.ts';

// About the turn of a second, where microseconds start again.
const turn = toMicros('2026-03-01T12:00:00.000000Z');
const dates = fc.array(
  fc
    .tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -1, max: 1 }))
    .map(([micros, second]) => fromMicros(turn + BigInt(micros) + BigInt(second) * 1_000_000n)),
  { maxLength: 30 },
);

function datesOf(runs: DateRun[]): string[] {
  return runs.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, n) => fromMicros(BigInt(first + n))),
  );
}

function toRuns(list: string[]): DateRun[] {
  const runs: DateRun[] = [];
  for (const date of list) appendDate(runs, Number(toMicros(date)));
  return runs;
}

const distinct = (list: string[]) => [...new Set(list)].sort();

describe('runs of dates', () => {
  it('hold the dates that they were made of, and no other', () => {
    fc.assert(
      fc.property(dates, list => {
        expect(distinct(datesOf(toRuns(list)))).toEqual(distinct(list));
      }),
    );
  });

  it('are as few as it takes once they are joined, and hold the same', () => {
    fc.assert(
      fc.property(dates, dates, (some, others) => {
        const joined = joinRuns([...toRuns(some), ...toRuns(others)]);
        expect(datesOf(joined)).toEqual(distinct([...some, ...others]));
        for (const [index, run] of joined.entries()) {
          if (index > 0) expect(run.first).toBeGreaterThan((joined[index - 1] as DateRun).last + 1);
        }
      }),
    );
  });

  it('a batch that was added at once is one run', () => {
    const batch = Array.from({ length: 900 }, (_, n) => fromMicros(turn + BigInt(n)));
    expect(toRuns(batch)).toEqual([{ first: Number(turn), last: Number(turn) + 899 }]);
  });
});
