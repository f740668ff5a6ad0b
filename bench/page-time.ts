import { followNext, get, requestsPerSecond } from './client.ts';
import { type Figure, median } from './figures.ts';
import type { Bench } from './hub.ts';

const limit = 1000;
const kinds = { objects: 'objects/?', 'match[type]': 'objects/?match[type]=indicator&', manifest: 'manifest/?' };

/** What a page costs at the start, in the middle and at the end of a large collection, and a poll that brings nothing. */
export async function measurePageTime({ hub, objects, isQuick, progress }: Bench): Promise<Figure[]> {
  const url = hub.collectionUrl('large');
  const blocks = isQuick ? 3 : 7;
  const rounds = isQuick ? 10 : 25;

  progress('  reading the manifest for the dates of the places');
  const dates: string[] = [];
  for await (const { headers } of followNext(hub, `${url}manifest/?limit=${limit}`))
    dates.push(String(headers['x-taxii-date-added-last']));
  // The last place is two pages before the end, so that all pages are full and say that more follows.
  const places = {
    start: '',
    middle: `&added_after=${dates[dates.length >> 1]}`,
    end: `&added_after=${dates.at(-3)}`,
  };
  const last = `&added_after=${dates.at(-1)}`;

  const figures: Figure[] = [];
  for (const [kind, query] of Object.entries(kinds)) {
    const times = { start: [] as number[], middle: [] as number[], end: [] as number[] };
    const ratios: number[] = [];
    for (let block = 0; block <= blocks; block += 1) {
      const samples = { start: [] as number[], middle: [] as number[], end: [] as number[] };
      for (let round = 0; round < rounds; round += 1) {
        // In another order each round: garbage collection comes in a rhythm, and would strike the same place each time.
        for (const place of shuffle(['start', 'middle', 'end'] as const)) {
          samples[place].push((await get(hub, `${url}${query}limit=${limit}${places[place]}`)).ms);
        }
      }
      if (block === 0) continue; // warming up
      for (const place of ['start', 'middle', 'end'] as const) times[place].push(median(samples[place]));
      ratios.push(median(samples.end) / median(samples.start));
    }
    progress(`  ${kind}: ${median(times.start).toFixed(1)} ms, at the end ${median(times.end).toFixed(1)} ms`);
    for (const place of ['start', 'middle', 'end'] as const)
      figures.push({ name: `page of 1,000, ${kind}, ${place}`, unit: 'ms', values: times[place] });
    figures.push({ name: `page of 1,000, ${kind}, end / start`, unit: '×', values: ratios, target: { atMost: 1.3 } });
  }

  const rare: number[] = [];
  const empty: number[] = [];
  for (let repetition = 0; repetition < blocks; repetition += 1) {
    rare.push((await get(hub, `${url}objects/?match[type]=malware&limit=${Math.min(limit, objects / 100)}`)).ms);
    empty.push(
      await requestsPerSecond(hub, `${url}objects/?limit=${limit}${last}`, {
        connections: 4,
        seconds: isQuick ? 2 : 5,
      }),
    );
  }
  return [
    ...figures,
    { name: 'page of 1,000, match[type], one object in a hundred', unit: 'ms', values: rare },
    { name: 'empty polls, 4 connections', unit: 'requests/s', values: empty },
  ];
}

function shuffle<Value>(values: readonly Value[]): Value[] {
  return values
    .map(value => ({ value, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
