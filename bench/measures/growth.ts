import type { Client } from 'undici';
import { openHubDatabase } from '../ceilings/database.ts';
import { followNext, headersOf, send } from '../client.ts';
import { exchange, openConnection } from '../exchange.ts';
import type { Figure } from '../figures.ts';
import { fill } from '../filling.ts';
import { fillCollection } from '../growth-rows.ts';
import { type Bench, type BenchHub, startHub } from '../hub.ts';
import { envelope } from '../indicators.ts';
import { median, ratios, shuffle } from '../statistics.ts';

const small = 10_000;
// Of a larger collection PostgreSQL makes the others itself, before. Since they come one by one, a page of them costs more
// than a page of what was posted: so the small collection is filled the same way then.
const postedMax = { large: 1_000_000, small: 3000 };
const target = { atMost: 1.3 };

/** A hub whose collection holds few objects or many, and what is asked of it. */
interface Place {
  hub: BenchHub;
  url: string;
  /** X-TAXII-Date-Added-Last of pages of 1,000 */
  dates: string[];
  /** an object in the middle, and its version */
  sample: { id: string; version: string };
}

type Question = (place: Place) => string;
const middle = ({ dates }: Place) => `added_after=${dates[dates.length >> 1]}`;

/** Every way in which a page can be asked for; the objects are 99 indicators to a malware. */
const questions: Record<string, Question> = {
  'page of 1,000, first': () => 'objects/?limit=1000',
  'page of 1,000, middle': place => `objects/?limit=1000&${middle(place)}`,
  'page of 1,000, last but one': ({ dates }) => `objects/?limit=1000&added_after=${dates.at(-3)}`,
  'manifest of 1,000, middle': place => `manifest/?limit=1000&${middle(place)}`,
  'nothing new': ({ dates }) => `objects/?added_after=${dates.at(-1)}`,
  'match[id]': ({ sample }) => `objects/?match[id]=${sample.id}`,
  'match[type], common': place => `objects/?match[type]=indicator&limit=100&${middle(place)}`,
  'match[type], one in a hundred': place => `objects/?match[type]=malware&limit=10&${middle(place)}`,
  'match[type], absent': () => 'objects/?match[type]=tool',
  'match[version]=first': place => `objects/?match[version]=first&limit=100&${middle(place)}`,
  'match[version]=all': place => `objects/?match[version]=all&limit=100&${middle(place)}`,
  'match[id] and match[version], an instant': ({ sample }) =>
    `objects/?match[id]=${sample.id}&match[version]=${sample.version}`,
  'match[version], an instant': ({ sample }) => `objects/?match[version]=${sample.version}`,
  'match[spec_version]=2.1': place => `objects/?match[spec_version]=2.1&limit=100&${middle(place)}`,
  'match[spec_version]=2.0, absent': () => 'objects/?match[spec_version]=2.0',
  'versions of an object': ({ sample }) => `objects/${sample.id}/versions/`,
};

/** The same questions in turn to a hub with 10,000 objects and to one with many, each on a database of its own. */
export async function measureGrowth(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const few = await startHub({ isInspected: false });
  try {
    const isPosted = options.objects <= postedMax.large;
    const { place: start } = await prepare(few, small, isPosted ? small : postedMax.small, progress);
    const { place: end, rates } = await prepare(hub, options.objects, postedMax.large, progress);
    const tenth = Math.ceil(rates.length / 10);
    const taken = { unit: 'objects/s', chart: 'taken while the collection grows: objects/s' };
    const size = options.objects.toLocaleString('en');
    return [
      ...(await compareAnswers(bench, start, end)),
      ...(await compareInserts(bench, start, end)),
      { name: `taken, first tenth of ${size}`, values: rates.slice(0, tenth), ...taken },
      { name: `taken, last tenth of ${size}`, values: rates.slice(-tenth), ...taken },
      ...(await measureBytes(hub)),
    ];
  } finally {
    await few.stop();
  }
}

async function prepare(hub: BenchHub, objects: number, most: number, progress: (message: string) => void) {
  const alias = 'large';
  const url = await hub.addCollection(alias);
  const posted = Math.min(objects, most);
  if (objects > posted) await fillBeforehand(hub, alias, objects - posted);
  const rates = await fill(hub, `${url}objects/`, { from: 0, to: posted }, progress);
  progress('  reading the manifest for the dates of the pages');
  const dates: string[] = [];
  for await (const { headers } of followNext(hub, `${url}manifest/?limit=1000`)) {
    dates.push(String(headers['x-taxii-date-added-last']));
  }
  const query = `manifest/?limit=1&added_after=${dates[dates.length >> 1]}`;
  const sample = JSON.parse((await send(`${url}${query}`, { headers: headersOf(hub) })).start).objects[0];
  return { place: { hub, url, dates, sample }, rates };
}

async function fillBeforehand(hub: BenchHub, alias: string, objects: number): Promise<void> {
  const database = await openHubDatabase(hub.env);
  try {
    await fillCollection(await database.addClient(), alias, objects);
  } finally {
    await database.close();
  }
}

async function compareAnswers({ options, progress }: Bench, start: Place, end: Place): Promise<Figure[]> {
  const figures: Figure[] = [];
  const chart = `time of an answer, ${options.objects.toLocaleString('en')} objects / 10,000`;
  for (const [name, question] of Object.entries(questions)) {
    const times = { start: [] as number[], end: [] as number[] };
    try {
      for (let block = 0; block <= (options.isQuick ? 3 : 7); block += 1) {
        const [few, many] = await askInTurn([start, end], question);
        if (block === 0) continue; // warming up
        times.start.push(few as number);
        times.end.push(many as number);
      }
    } catch (error) {
      progress(`  ${name}: ${(error as Error).message}`);
      continue;
    }
    const values = ratios(times.end, times.start);
    progress(`  ${name}: ${median(times.start).toFixed(2)} and ${median(times.end).toFixed(2)} ms`);
    figures.push({ name: `${name}, 10,000 objects`, unit: 'ms', values: times.start });
    figures.push({ name: `${name}, many objects`, unit: 'ms', values: times.end });
    figures.push({ name: `${name}, many / 10,000`, unit: '×', values, target, chart });
  }
  return figures;
}

/** The median of several answers of each, in random order: garbage collection comes in a rhythm. */
async function askInTurn(places: [Place, Place], question: Question): Promise<number[]> {
  const times = places.map((): number[] => []);
  const clients = places.map(({ hub }) => openConnection(hub.url));
  try {
    for (let round = 0; round < 15; round += 1) {
      for (const n of shuffle([0, 1])) {
        const place = places[n] as Place;
        const { pathname } = new URL(place.url);
        const path = pathname + question(place);
        const { status, ms } = await exchange(clients[n] as Client, { path, headers: headersOf(place.hub) });
        if (status !== 200) throw new Error(`${path} gave ${status}`);
        times[n]?.push(ms);
      }
      // What takes seconds need not be asked so often.
      if (Math.max(...times.flat()) > 1000) break;
    }
  } finally {
    await Promise.all(clients.map(client => client.close()));
  }
  return times.map(median);
}

/** Envelopes of 1,000, one at a time, in turn: the places grow by what is put in, the smaller one by half in all. */
async function compareInserts({ options }: Bench, start: Place, end: Place): Promise<Figure[]> {
  const times = { start: [] as number[], end: [] as number[] };
  for (let repetition = 0; repetition <= (options.isQuick ? 3 : 7); repetition += 1) {
    for (const [name, { hub, url }] of shuffle([['start', start] as const, ['end', end] as const])) {
      const body = envelope(0, 1000);
      const { ms } = await send(`${url}objects/`, { method: 'POST', headers: headersOf(hub), body });
      if (repetition > 0) times[name].push(ms);
    }
  }
  return [
    { name: 'envelope of 1,000, 10,000 objects', unit: 'ms', values: times.start },
    { name: 'envelope of 1,000, many objects', unit: 'ms', values: times.end },
    { name: 'envelope of 1,000, many / 10,000', unit: '×', values: ratios(times.end, times.start), target },
  ];
}

/** What the table and each of its indexes take, by the number of versions that it holds. */
async function measureBytes(hub: BenchHub): Promise<Figure[]> {
  const database = await openHubDatabase(hub.env);
  try {
    const client = await database.addClient();
    const { rows } = await client.query<{ name: string; bytes: number }>(`
      select relname as name, pg_table_size(oid)::float8 / (select count(*) from object_version) as bytes
      from pg_class where relkind in ('r', 'i') and relname like 'object\\_version%' order by relkind desc, relname`);
    const name = (relation: string) => `an object takes in ${relation}`;
    return [
      ...rows.map(row => ({ name: name(row.name), unit: 'bytes', values: [row.bytes] })),
      { name: name('all of them'), unit: 'bytes', values: [rows.reduce((sum, { bytes }) => sum + bytes, 0)] },
    ];
  } finally {
    await database.close();
  }
}
