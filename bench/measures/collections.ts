import { openHubDatabase } from '../ceilings/database.ts';
import { headersOf } from '../client.ts';
import { exchange, openConnection } from '../exchange.ts';
import type { Figure } from '../figures.ts';
import { type Bench, type BenchHub, startHub } from '../hub.ts';
import { envelope } from '../indicators.ts';
import { median, ratios, shuffle } from '../statistics.ts';

const objectsEach = 100;
const target = { atMost: 1.3 };

/** A hub and the collections that it is asked for in turn, so that nothing is remembered of one alone. */
interface Place {
  hub: BenchHub;
  paths: string[];
  /** X-TAXII-Date-Added-Last of each */
  lasts: string[];
}

interface Ask {
  method?: 'POST';
  path: string;
  body?: Buffer;
}

const questions: Record<string, (place: Place, n: number) => Ask> = {
  'page of 100': ({ paths }, n) => ({ path: `${paths[n]}?limit=${objectsEach}` }),
  'nothing new': ({ paths, lasts }, n) => ({ path: `${paths[n]}?added_after=${lasts[n]}` }),
  'envelope of 100': ({ paths }, n) => ({ method: 'POST', path: `${paths[n]}`, body: envelope(n, objectsEach) }),
};

/** Pages, polls and envelopes, one at a time, to a hub with one collection and to one with 1,000. */
export async function measureCollections({ options, progress }: Bench): Promise<Figure[]> {
  const counts = [1, options.isQuick ? 50 : 1000] as const;
  const hubs: BenchHub[] = [];
  try {
    const places: Place[] = [];
    for (const count of counts) {
      const hub = await startHub({ isInspected: false });
      hubs.push(hub);
      places.push(await prepare(hub, count));
      progress(`  a hub with ${count} collections is ready`);
    }
    const [few, many] = places as [Place, Place];
    const figures: Figure[] = [];
    for (const [name, question] of Object.entries(questions)) {
      const times = { few: [] as number[], many: [] as number[] };
      for (let block = 0; block <= (options.isQuick ? 3 : 7); block += 1) {
        for (const [place, values] of shuffle([[few, times.few] as const, [many, times.many] as const])) {
          const ms = await askAround(place, question);
          if (block > 0) values.push(ms);
        }
      }
      const [one, thousand] = counts.map(count =>
        `${count.toLocaleString('en')} collections`.replace(/^1 (.*)s$/, '1 $1'),
      );
      const chart = `time of an answer, ${thousand} / ${one}`;
      figures.push({ name: `${name}, ${one}`, unit: 'ms', values: times.few });
      figures.push({ name: `${name}, ${thousand}`, unit: 'ms', values: times.many });
      const values = ratios(times.many, times.few);
      figures.push({ name: `${name}, ${thousand} / ${one}`, unit: '×', values, target, chart });
      progress(`  ${name}: ${median(times.few).toFixed(2)} and ${median(times.many).toFixed(2)} ms`);
    }
    return figures;
  } finally {
    for (const hub of hubs) await hub.stop();
  }
}

async function prepare(hub: BenchHub, count: number): Promise<Place> {
  const database = await openHubDatabase(hub.env);
  try {
    const client = await database.addClient();
    // As `collection add` and `grant` do, which take half a second each.
    await client.query(
      `with added as (
        insert into collection (id, alias, api_root, title)
        select gen_random_uuid(), 'one-' || n, 'hub', 'One of many' from generate_series(1, $1) n returning id
      )
      insert into access_grant (partner_id, collection_id, can_read, can_write)
      select partner.id, added.id, true, true from added, partner where slug = $2`,
      [count, hub.partner],
    );
  } finally {
    await database.close();
  }
  const paths = Array.from(
    { length: count },
    (_, n) => new URL(`${hub.collectionUrl(`one-${n + 1}`)}objects/`).pathname,
  );
  const place: Place = { hub, paths, lasts: [] };
  const connection = openConnection(hub.url);
  const headers = headersOf(hub);
  for (const path of paths) {
    const { status } = await exchange(connection, { method: 'POST', path, headers, body: envelope(0, objectsEach) });
    if (status !== 202) throw new Error(`${path} gave ${status}`);
    const page = await exchange(connection, { path: `${path}?limit=${objectsEach}`, headers });
    place.lasts.push(String(page.headers['x-taxii-date-added-last']));
  }
  await connection.close();
  return place;
}

/** @returns the median of the times of a hundred answers, in milliseconds */
async function askAround(place: Place, question: (place: Place, n: number) => Ask): Promise<number> {
  const connection = openConnection(place.hub.url);
  const times: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    // A prime that no count divides: all of them, far from each other.
    const request = { ...question(place, (round * 7919) % place.paths.length), headers: headersOf(place.hub) };
    const { status, ms } = await exchange(connection, request);
    if (status >= 300) throw new Error(`${request.path} gave ${status}`);
    times.push(ms);
  }
  await connection.close();
  return median(times);
}
