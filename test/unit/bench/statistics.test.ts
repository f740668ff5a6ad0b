import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, quantile, ratios, shuffle, spread } from '../../../bench/statistics.ts';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });

describe('median', () => {
  it('is the value in the middle, or the mean of the two', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([1, 4, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('leaves its values as they are', () => {
    const given = [3, 1, 2];
    median(given);
    expect(given).toEqual([3, 1, 2]);
  });
});

describe('quantile', () => {
  it('is the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(quantile(hundred, 0.99)).toBe(99);
    expect(quantile(hundred, 0.5)).toBe(50);
    expect(quantile([7], 0.01)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('is a value that the share of them does not exceed, and no smaller one is', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (given, share) => {
        const found = quantile(given, share);
        expect(given).toContain(found);
        expect(given.filter(value => value <= found).length / given.length).toBeGreaterThanOrEqual(share - 1e-9);
        expect(given.filter(value => value < found).length / given.length).toBeLessThan(share);
      }),
    );
  });
});

it('ratios are those of the same repetition', () => {
  expect(ratios([6, 10], [3, 20])).toEqual([2, 0.5]);
  expect(() => ratios([1, 2], [1])).toThrow('2 values cannot be compared with 1');
});

it('the spread is the range by the median', () => {
  expect(spread([9, 10, 14])).toBe(0.5);
});

it('shuffling keeps every value', () => {
  fc.assert(
    fc.property(values, given => {
      expect(shuffle(given).sort()).toEqual([...given].sort());
    }),
  );
});
