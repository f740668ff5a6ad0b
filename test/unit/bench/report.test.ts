import { describe, expect, it } from 'vitest';
import { drawBars } from '../../../bench/chart.ts';
import { listTopFunctions } from '../../../bench/cpu-profile.ts';
import { toRecord } from '../../../bench/figures.ts';
import { describeNoise } from '../../../bench/machine.ts';
import { putBetween, toMarkdown } from '../../../bench/report.ts';

const bars = [
  { name: 'ceiling', unit: 'pages/s', values: [100, 200, 150], chart: 'pages <of> 100' },
  { name: 'hub', unit: 'pages/s', values: [75], chart: 'pages <of> 100' },
].map(toRecord);

describe('drawBars', () => {
  it('draws the medians to one scale, and escapes what stands in names', () => {
    const svg = drawBars('pages <of> 100', bars);
    const widths = [...svg.matchAll(/class="bar"[^>]* width="([\d.]+)"/g)].map(match => Number(match[1]));
    expect(widths).toHaveLength(2);
    expect((widths[0] as number) / (widths[1] as number)).toBeCloseTo(2, 2);
    expect(svg).toContain('<title>pages &lt;of&gt; 100</title>');
    expect(svg).not.toContain('class="target"');
  });

  it('shows a target that all bars have, above the highest of them too', () => {
    const targeted = bars.map(bar => ({ ...bar, target: { atLeast: 300 } }));
    const at = Number(/class="target" x1="([\d.]+)"/.exec(drawBars('x', targeted))?.[1]);
    const spreads = [...drawBars('x', targeted).matchAll(/class="spread" x1="[\d.]+" x2="([\d.]+)"/g)];
    expect(at).toBeGreaterThan(Math.max(...spreads.map(match => Number(match[1]))));
    expect(at).toBeLessThanOrEqual(Number(/viewBox="0 0 (\d+)/.exec(drawBars('x', targeted))?.[1]));
  });
});

describe('the report', () => {
  const results = {
    date: '2026-11-26T03:00:00.000Z',
    options: { isQuick: false, isLarge: false, objects: 1_000_000 },
    machine: { text: 'Two processors.' },
    measurements: [
      { name: 'pages', idleShareBefore: 0.98, seconds: 61.2, noise: [], figures: bars },
      { name: 'push', idleShareBefore: 1, seconds: 1, noise: [], figures: [], failure: 'no clients' },
    ],
  };

  it('has a section for each measurement, the failed ones too', () => {
    const text = toMarkdown(results);
    expect(text).toContain('A run, 2026-11-26, with 1,000,000 objects in the large collection. Two processors.');
    expect(text).toContain('### pages\n\n![pages <of> 100](charts/pages-pages-of-100.svg)\n\n| What ');
    expect(text).toContain('98 % idle before; took 61 s.');
    expect(text).toContain('### push\n\nFailed: no clients\n');
  });

  it('goes between the marks and leaves the rest alone', () => {
    const readme = (text: string) =>
      `before\n<!-- results: npm run bench -- --report writes what follows -->\n${text}<!-- end of results -->\nafter\n`;
    expect(putBetween(readme('old\n'), 'new')).toBe(readme('\nnew\n'));
    expect(() => putBetween('no marks', 'new')).toThrow('no marks');
  });
});

it('noise is the spread of a fixed piece of work and what the host took', () => {
  const noise = [
    { calibrationMs: 10, stealShare: 0 },
    { calibrationMs: 12, stealShare: 0.02 },
    { calibrationMs: 11, stealShare: 0.01 },
  ];
  expect(describeNoise(noise)).toMatch(
    /of 3 samples took 11\.00 ms \(10\.00 – 12\.00, a spread of 18\.2 %\).* 1\.0 % .* 2\.0 %/,
  );
  expect(describeNoise([])).toBe('');
});

it('the top of a profile is what ran itself, waiting left out', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 41 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('judge', 'file:///app/dist/stix/validate.js') },
      { id: 3, callFrame: frame('(garbage collector)') },
      // The same function, called from elsewhere.
      { id: 4, callFrame: frame('judge', 'file:///app/dist/stix/validate.js') },
    ],
    samples: [1, 2, 3, 4, 2],
    timeDeltas: [1000, 30, 20, 20, 30],
  };
  expect(listTopFunctions(profile, 5)).toEqual([
    { name: 'judge dist/stix/validate.js:42', share: 0.8 },
    { name: '(garbage collector)', share: 0.2 },
  ]);
  expect(listTopFunctions(profile, 1)).toHaveLength(1);
});
