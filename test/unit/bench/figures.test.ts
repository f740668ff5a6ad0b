import { describe, expect, it } from 'vitest';
import { formatNumber, toRecord, toTable } from '../../../bench/figures.ts';

describe('toRecord', () => {
  const verdictOf = (values: number[], target: { atLeast: number } | { atMost: number }) =>
    toRecord({ name: 'x', unit: 's', values, target }).verdict;

  it('judges by the median, the bound included', () => {
    expect(verdictOf([1, 2, 9], { atLeast: 2 })).toBe('≥ 2.00: reached');
    expect(verdictOf([1, 2, 9], { atMost: 1.9 })).toBe('≤ 1.90: NOT REACHED');
  });

  it('does not pass what was not measured', () => {
    expect(verdictOf([Number.NaN], { atLeast: 2 })).toBe('not measured');
    expect(verdictOf([], { atMost: 2 })).toBe('not measured');
  });
});

it('a table has the spread of what was measured more than once', () => {
  const figures = [
    { name: 'taken', unit: 'objects/s', values: [900, 1500, 1100] },
    { name: 'size', unit: 'MB', values: [7.25], target: { atMost: 10 } },
  ].map(toRecord);
  expect(toTable(figures)).toBe(
    [
      '| What  | Median          | Lowest – highest (repetitions) | Target          |',
      '|-------|-----------------|--------------------------------|-----------------|',
      '| taken | 1,100 objects/s | 900 – 1,500 (3)                |                 |',
      '| size  | 7.25 MB         |                                | ≤ 10.0: reached |',
    ].join('\n'),
  );
});

it('numbers have three digits, and what came to nothing a dash', () => {
  expect([0.04321, 5, 12.34, 123.4, 12_345.6].map(formatNumber)).toEqual(['0.04', '5.00', '12.3', '123', '12,346']);
  expect([Number.NaN, JSON.parse(JSON.stringify(Number.NaN))].map(formatNumber)).toEqual(['–', '–']);
});
