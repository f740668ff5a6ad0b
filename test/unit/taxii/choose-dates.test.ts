import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chooseDates } from '../../../src/taxii/dates.ts';
import { fromMicros, toMicros } from '../../../src/taxii/timestamp.ts';

const micros = fc.bigInt({ min: 1_700_000_000_000_000n, max: 1_900_000_000_000_000n });

it('dates are later than all before, one for each object, and end on a whole millisecond', () => {
  fc.assert(
    fc.property(
      micros,
      fc.bigInt({ min: -5_000_000n, max: 5_000_000n }),
      fc.integer({ min: 1, max: 300_000 }),
      (before, ahead, n) => {
        const { first, last } = chooseDates(fromMicros(before), fromMicros(before + ahead), n);
        expect(toMicros(first)).toBeGreaterThan(before);
        expect(toMicros(last) - toMicros(first)).toBe(BigInt(n - 1));
        expect(toMicros(last) % 1000n).toBe(0n);
      },
    ),
  );
});

it('dates follow the clock, at most a millisecond ahead of it, unless the collection is ahead already', () => {
  fc.assert(
    fc.property(micros, fc.integer({ min: 1, max: 1000 }), (now, n) => {
      const { last } = chooseDates(fromMicros(now - 10_000_000n), fromMicros(now), n);
      expect(toMicros(last) - now).toBeLessThan(1000n);
      expect(toMicros(last) - now).toBeGreaterThanOrEqual(0n);
    }),
  );
});
