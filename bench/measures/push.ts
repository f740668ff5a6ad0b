import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { headersOf, send } from '../client.ts';
import type { Figure } from '../figures.ts';
import type { Bench } from '../hub.ts';
import { envelope } from '../indicators.ts';
import { quantile } from '../statistics.ts';

const waitSeconds = 30;
// From the last request sent to the last client surely waiting.
const settleMs = 2000;
const arrivalMsMax = 20_000;
// Node goes on optimising what answers a client that was woken: the fifth thousand has it sooner than the first.
const warmingCount = 4;

interface Way {
  url: string;
  headers: Record<string, string>;
}

/**
 * How long it takes from an envelope of one object to all of 1,000 clients that wait for it, by long poll and by stream. Its
 * commit lies between the sending of the envelope and the 202: both times are told, and the longer one has the target.
 */
export async function measurePush(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const url = `${await hub.addCollection('pushed')}objects/`;
  const headers = headersOf(hub);
  await send(url, { method: 'POST', headers, body: envelope(0, 1) });
  const ways: Record<string, Way> = {
    'long poll': { url, headers: { ...headers, prefer: `wait=${waitSeconds}` } },
    stream: { url: `${url}stream/`, headers: { ...headers, accept: 'text/event-stream' } },
  };
  const figures: Figure[] = [];
  for (const [name, way] of Object.entries(ways)) {
    if (!(await isOffered(way, await readEnd(bench, url)))) {
      progress(`  ${name}: this hub has none`);
      continue;
    }
    const clients = options.isQuick ? 200 : 1000;
    const runs: Delivery[] = [];
    for (let repetition = 1 - warmingCount; repetition <= (options.isQuick ? 2 : 7); repetition += 1) {
      const run = await deliver(
        bench,
        url,
        { ...way, url: `${way.url}?added_after=${await readEnd(bench, url)}` },
        clients,
      );
      if (repetition < 1) continue;
      runs.push(run);
      progress(`  ${name}, ${repetition}: ${quantile(run.sinceSent, 0.5).toFixed(1)} ms to half of ${clients} clients`);
    }
    figures.push(...describe(`${name}, ${clients.toLocaleString('en')} clients`, runs));
  }
  return figures;
}

/** Milliseconds until each client had the object. */
interface Delivery {
  sinceSent: number[];
  sinceAnswered: number[];
}

async function deliver({ hub }: Bench, url: string, way: Way, clients: number): Promise<Delivery> {
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  try {
    const waiting = Array.from({ length: clients }, () => waitForObject(way, agent));
    await Promise.all(waiting.map(({ sent }) => sent));
    await sleep(settleMs);
    const sentAt = performance.now();
    const answered = send(url, { method: 'POST', headers: headersOf(hub), body: envelope(0, 1) }).then(() =>
      performance.now(),
    );
    const arrivals = await Promise.race([
      Promise.all(waiting.map(({ arrival }) => arrival)),
      sleep(arrivalMsMax, undefined, { ref: false }),
    ]);
    if (!arrivals) throw new Error(`after ${arrivalMsMax} ms not all clients have the object`);
    const answeredAt = await answered;
    return {
      sinceSent: arrivals.map(at => at - sentAt),
      // A client may have it before its sender knows.
      sinceAnswered: arrivals.map(at => Math.max(0, at - answeredAt)),
    };
  } finally {
    agent.destroy();
  }
}

/** One client: the first object that it gets, in a page or in an event. */
function waitForObject({ url, headers }: Way, agent: Agent): { sent: Promise<unknown>; arrival: Promise<number> } {
  const request = get(url, { agent, headers });
  const arrival = new Promise<number>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('"objects":[')) resolve(performance.now());
      });
      response.on('end', () => reject(new Error(`${url} ended with ${response.statusCode}: ${text.slice(0, 200)}`)));
    });
  });
  // What comes to nothing after the object has arrived, or after the measurement has failed, is no news.
  arrival.catch(() => {});
  return { sent: once(request, 'finish'), arrival };
}

/** Whether the hub knows this way of waiting. */
async function isOffered({ url, headers }: Way, after: string): Promise<boolean> {
  const probe = { ...headers, ...(headers.prefer && { prefer: 'wait=1' }) };
  const abort = new AbortController();
  const response = await fetch(`${url}?added_after=${after}`, { headers: probe, signal: abort.signal });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const isHeld = response.headers.has('preference-applied');
  abort.abort();
  return response.ok && (isStream || isHeld);
}

async function readEnd({ hub }: Bench, url: string): Promise<string> {
  const reply = await send(`${url}?limit=10000`, { headers: headersOf(hub) });
  return String(reply.headers['x-taxii-date-added-last']);
}

function describe(name: string, runs: Delivery[]): Figure[] {
  const chart = 'time from the sending of an envelope to the clients that wait: ms';
  const values = (times: (run: Delivery) => number[], share: number) => runs.map(run => quantile(times(run), share));
  const sinceSent = (share: number) => values(run => run.sinceSent, share);
  const sinceAnswered = (share: number) => values(run => run.sinceAnswered, share);
  return [
    { name: `${name}, p50 since sent`, unit: 'ms', values: sinceSent(0.5), target: { atMost: 100 }, chart },
    { name: `${name}, p99 since sent`, unit: 'ms', values: sinceSent(0.99), chart },
    { name: `${name}, p50 since its 202`, unit: 'ms', values: sinceAnswered(0.5) },
    { name: `${name}, p99 since its 202`, unit: 'ms', values: sinceAnswered(0.99) },
  ];
}
