import { expect, it } from 'vitest';
import { compare } from '../../../bench/interleave.ts';
import { median } from '../../../bench/statistics.ts';

const samples = (perSecond: number[], perServerCpuSecond: number[], databaseMicros: number[]) => ({
  perSecond,
  perServerCpuSecond,
  databaseMicros,
});
const medians = (figures: ReturnType<typeof compare>) =>
  Object.fromEntries(figures.map(({ name, unit, values }) => [name, `${median(values)} ${unit}`]));

it('compares a way with the ceiling by the clock and by processor time, and tells what each object cost', () => {
  const figures = compare({
    what: 'pages',
    unit: 'pages',
    cost: { of: 'object', each: 100 },
    ceiling: samples([1000, 500], [2000, 2000], [50, 50]),
    hub: { 'by next': { samples: samples([600, 400], [1000, 1000], [400, 400]), ofCeiling: 0.6, atLeast: 450 } },
  });
  expect(medians(figures)).toEqual({
    'pages, ceiling': '750 pages/s',
    'pages, by next': '500 pages/s',
    // (600/1000 + 400/500) / 2, not 500/750
    'pages, by next / ceiling': '0.7 ×',
    "pages, by next / ceiling, by the server's processor time": '0.5 ×',
    'pages, by next: processor time of the hub': '10 µs/object',
    'pages, by next: processor time of PostgreSQL': '4 µs/object',
  });
  expect(figures.filter(({ target }) => target).map(({ name, target }) => [name, target])).toEqual([
    ['pages, by next', { atLeast: 450 }],
    ['pages, by next / ceiling', { atLeast: 0.6 }],
  ]);
});

it('a ceiling without a process of its own has no processor time to compare with', () => {
  const ways = {
    what: 'envelopes',
    unit: 'objects',
    cost: { of: 'object', each: 1 },
    hub: { all: { samples: samples([25], [50], [20]) } },
  };
  expect(Object.keys(medians(compare({ ...ways, ceiling: samples([100], [Number.NaN], [10]) })))).toEqual([
    'envelopes, ceiling',
    'envelopes, all',
    'envelopes, all / ceiling',
    'envelopes, all: processor time of the hub',
    'envelopes, all: processor time of PostgreSQL',
  ]);
});
