import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMicros, parseTimestamp, toMicros } from '../../../src/taxii/timestamp.ts';

describe('parseTimestamp', () => {
  it.each([
    ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000000Z'],
    ['2024-01-01T00:00:00.5Z', '2024-01-01T00:00:00.500000Z'],
    ['2024-01-01T00:00:00.123Z', '2024-01-01T00:00:00.123000Z'],
    ['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123456Z'],
    ['2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00.123456Z'],
    ['2024-01-01T02:00:00.5+02:00', '2024-01-01T00:00:00.500000Z'],
    ['2024-01-01T02:00:00.5 02:00', '2024-01-01T00:00:00.500000Z'],
    ['2023-12-31T18:30:00-05:30', '2024-01-01T00:00:00.000000Z'],
    ['2024-02-29T00:00:00z', '2024-02-29T00:00:00.000000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000Z'],
  ])('reads %s, a form that clients send', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });

  it.each([
    '',
    '2024',
    '2024-01-01',
    '2024-01-01T00:00:00',
    '2024-13-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-01-01T25:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:61:00Z',
    '2024-01-01T00:00:61Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+24:00',
    "2024-01-01T00:00:00Z'; drop table collection",
    '2024-01-01T00:00:00Z,2025-01-01T00:00:00Z',
  ])('refuses %s', text => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  const digits = (min: number, max: number) => fc.integer({ min, max }).map(value => String(value).padStart(2, '0'));
  const year = fc.oneof(digits(1890, 2110), fc.constantFrom('0001', '0400', '9999'));

  it('knows the days that there are', () => {
    fc.assert(
      fc.property(year, digits(0, 13), digits(0, 32), digits(0, 23), (yyyy, mm, dd, hh) => {
        const text = `${yyyy}-${mm}-${dd}T${hh}:59:59Z`;
        const date = new Date(text);
        const isThere = !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(dd);
        expect(parseTimestamp(text)).toBe(isThere ? `${text.slice(0, -1)}.000000Z` : undefined);
      }),
    );
  });

  it('reads an instant alike with any offset', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.integer({ min: -1439, max: 1439 }),
        (date, minutes) => {
          const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
          const [hh, mm] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map(part =>
            String(part).padStart(2, '0'),
          );
          expect(parseTimestamp(`${local}${minutes < 0 ? '-' : '+'}${hh}:${mm}`)).toBe(
            parseTimestamp(date.toISOString()),
          );
        },
      ),
    );
  });
});

describe('toMicros and fromMicros', () => {
  const micros = fc.bigInt({
    min: toMicros('0001-01-01T00:00:00.000000Z'),
    max: toMicros('9999-12-31T23:59:59.999999Z'),
  });

  it('are each other’s inverse', () => {
    fc.assert(fc.property(micros, value => toMicros(fromMicros(value)) === value));
  });

  it('write timestamps that sort as their instants do', () => {
    fc.assert(fc.property(micros, micros, (a, b) => fromMicros(a) < fromMicros(b) === a < b));
  });
});
