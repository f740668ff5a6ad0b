import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOfMicros, isTimestamp, toInstant } from '../../../src/stix/timestamp.ts';

const firstMicros = BigInt(Date.parse('0000-01-01T00:00:00Z')) * 1000n;
const lastMicros = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n + 999_999n;

/** A whole second of any date but the very first and last, so that each has neighbours; and fraction digits. */
const moment = fc.record({
  second: fc.bigInt({ min: firstMicros / 1_000_000n + 1n, max: lastMicros / 1_000_000n - 1n }),
  fraction: fc.stringMatching(/^[0-9]{0,12}$/),
});
type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;

function write({ second, fraction }: Moment): string {
  const whole = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** The moment as a count of 10^-12 seconds, which is exact for twelve digits. */
function count({ second, fraction }: Moment): bigint {
  return second * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
}

describe('isTimestamp (STIX 2.1 §2.16.1)', () => {
  it.each([
    '2016-01-20T12:31:12Z',
    '2016-01-20T12:31:12.1Z',
    '2016-01-20T12:31:12.123456789012345678901234567890Z',
    '0000-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '2016-12-31T23:59:60Z',
    '2016-12-31T23:59:60.5Z',
  ])('takes %s', text => {
    expect(isTimestamp(text)).toBe(true);
  });

  it.each([
    '',
    'now',
    '2016-01-20',
    '2016-01-20T12:31Z',
    '2016-01-20T12:31:12',
    '2016-01-20t12:31:12Z',
    '2016-01-20T12:31:12z',
    '2016-01-20 12:31:12Z',
    '2016-01-20T12:31:12+00:00',
    '2016-01-20T12:31:12.Z',
    '2016-01-20T12:31:12,5Z',
    ' 2016-01-20T12:31:12Z',
    '2016-01-20T12:31:12Z\n',
    '2016-1-20T12:31:12Z',
    '12016-01-20T12:31:12Z',
    '-0001-01-20T12:31:12Z',
    '٢٠١٦-01-20T12:31:12Z',
    '2016-00-20T12:31:12Z',
    '2016-13-20T12:31:12Z',
    '2016-01-00T12:31:12Z',
    '2016-01-32T12:31:12Z',
    '2016-04-31T12:31:12Z',
    '2016-02-30T12:31:12Z',
    '2015-02-29T12:31:12Z',
    '1900-02-29T12:31:12Z',
    '2016-01-20T24:00:00Z',
    '2016-01-20T12:60:12Z',
    '2016-01-20T12:31:61Z',
    '2016-01-20T12:31:60Z',
    '2016-12-31T23:58:60Z',
    '2016-12-31T22:59:60Z',
  ])('refuses %j', text => {
    expect(isTimestamp(text)).toBe(false);
  });

  it('takes every date that exists, with any fraction', () => {
    fc.assert(fc.property(moment, one => isTimestamp(write(one))));
  });

  it('takes a day exactly when the calendar has it', () => {
    const date = fc.record({
      year: fc.integer({ min: 0, max: 9999 }),
      month: fc.integer({ min: 1, max: 12 }),
      day: fc.integer({ min: 1, max: 31 }),
    });
    fc.assert(
      fc.property(date, ({ year, month, day }) => {
        const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T00:00:00Z`;
        const exists = new Date(text).toISOString() === text.replace('Z', '.000Z');
        expect(isTimestamp(text)).toBe(exists);
      }),
      { numRuns: 2000 },
    );
  });
});

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0');
}

describe('toInstant', () => {
  it.each([
    ['2016-01-20T12:31:12Z', '2016-01-20T12:31:12'],
    ['2016-01-20T12:31:12.000Z', '2016-01-20T12:31:12'],
    ['2016-01-20T12:31:12.120Z', '2016-01-20T12:31:12.12'],
    ['2016-01-20T12:31:12.012Z', '2016-01-20T12:31:12.012'],
    ['2016-01-20T12:31:12.1234567890Z', '2016-01-20T12:31:12.123456789'],
    ['2016-12-31T23:59:60.000Z', '2016-12-31T23:59:60'],
    ['2000-10-10T00:00:00Z', '2000-10-10T00:00:00'],
    ['2000-10-10T00:00:00.00Z', '2000-10-10T00:00:00'],
  ])('%s is %s', (timestamp, instant) => {
    expect(toInstant(timestamp)).toBe(instant);
  });

  it('is equal exactly for the same instant, and sorts bytewise as time does', () => {
    // Moments near each other, so that equal ones and ones that differ only in their last digits come often.
    const near = fc.tuple(
      moment,
      fc.bigInt({ min: -1n, max: 1n }),
      fc.constantFrom('', '0', '000', '5', '50', '500', '05', '4999'),
    );
    fc.assert(
      fc.property(near, fc.boolean(), ([one, seconds, fraction], sameFraction) => {
        const other = {
          second: one.second + seconds,
          fraction: sameFraction ? `${one.fraction}0`.slice(0, 12) : fraction,
        };
        const [a, b] = [toInstant(write(one)), toInstant(write(other))];
        expect(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))).toBe(
          count(one) < count(other) ? -1 : count(one) > count(other) ? 1 : 0,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('puts a leap second after the second before it and before the next day', () => {
    const instants = ['2016-12-31T23:59:59.999Z', '2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'].map(toInstant);
    expect([...instants].sort()).toEqual(instants);
  });
});

describe('instantOfMicros', () => {
  it.each([
    [0n, '1970-01-01T00:00:00'],
    [1n, '1970-01-01T00:00:00.000001'],
    [-1n, '1969-12-31T23:59:59.999999'],
    [1_453_293_072_120_000n, '2016-01-20T12:31:12.12'],
  ])('%d microseconds are %s', (micros, instant) => {
    expect(instantOfMicros(micros)).toBe(instant);
  });

  it('is what toInstant gives for the same microsecond', () => {
    fc.assert(
      fc.property(moment, ({ second, fraction }) => {
        const digits = fraction.slice(0, 6);
        const micros = second * 1_000_000n + BigInt(digits.padEnd(6, '0'));
        expect(instantOfMicros(micros)).toBe(toInstant(write({ second, fraction: digits })));
      }),
    );
  });

  it.each([firstMicros - 1n, lastMicros + 1n])('throws at %d, whose year has not four digits', micros => {
    expect(() => instantOfMicros(micros)).toThrow(RangeError);
  });
});
