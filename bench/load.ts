/**
 * A client of a TAXII server, in a process of its own: `node --import tsx bench/load.ts`, with a job as the first line of
 * stdin (it holds credentials, which the list of processes would show) and what it came to on stdout. It costs a fraction of
 * what the server does, so that the server is what is measured.
 */

import { createInterface } from 'node:readline';
import { exchange, openConnection, type Reply } from './exchange.ts';
import { envelope } from './indicators.ts';

/** Objects are asked for from the first to the last, again and again, until the time is over. */
export interface WalkJob {
  kind: 'walk';
  /** of the objects, without a query */
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
  limit: number;
  by: 'next' | 'added_after';
  /** how many there are: what a whole walk must come to */
  objects: number;
}

/** Envelopes of new objects, made before the clock starts. */
export interface PostJob {
  kind: 'post';
  url: string;
  /** further collections: the connections take turns with all of them */
  otherUrls?: string[];
  headers: Record<string, string>;
  connections: number;
  envelopes: number;
  objectsEach: number;
  /** the number of the first object, in its name and dates; its id is a new one each time */
  from: number;
}

/** One page, at a fixed rate, until stdin ends. */
export interface SampleJob {
  kind: 'sample';
  url: string;
  headers: Record<string, string>;
  everyMs: number;
}

export type Job = WalkJob | PostJob | SampleJob;
/** `count` objects, or for samples requests */
export interface Outcome {
  count: number;
  seconds: number;
  /** of each request */
  ms: number[];
}

const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const job: Job = JSON.parse((await input.next()).value);
const path = new URL(job.url).pathname + new URL(job.url).search;
const outcome = await (job.kind === 'walk' ? walk(job) : job.kind === 'post' ? post(job) : sample(job));
process.stdout.write(JSON.stringify(outcome));
process.exit(0);

async function walk(job: WalkJob): Promise<Outcome> {
  const start = performance.now();
  const end = start + job.seconds * 1000;
  const ms: number[] = [];
  let count = 0;
  const walkOnce = async (client: ReturnType<typeof openConnection>) => {
    let query = '';
    let objects = 0;
    while (performance.now() < end) {
      const reply = await exchange(client, { path: `${path}?limit=${job.limit}${query}`, headers: job.headers });
      expectStatus(reply, 200);
      // A page holds at least one object, or says that there is none.
      if (reply.start.includes('"objects"')) objects += job.limit;
      ms.push(reply.ms);
      query = readNext(reply, job.by);
      if (query === '') {
        if (objects !== job.objects) throw new Error(`${objects} objects on a walk through ${job.objects}`);
        break;
      }
    }
    count += objects;
  };
  const walkOn = async () => {
    const client = openConnection(job.url);
    while (performance.now() < end) await walkOnce(client);
  };
  await Promise.all(Array.from({ length: job.connections }, walkOn));
  return { count, seconds: (performance.now() - start) / 1000, ms };
}

function readNext({ start, end, headers }: Reply, by: WalkJob['by']): string {
  // Most servers write `more` and `next` in front of the objects, some behind them.
  if (!/"more": ?true/.test(start) && !/"more": ?true/.test(end)) return '';
  if (by === 'added_after') return `&added_after=${encodeURIComponent(String(headers['x-taxii-date-added-last']))}`;
  const next = /"next": ?"([^"]+)"/.exec(start)?.[1] ?? /"next": ?"([^"]+)"/.exec(end)?.[1];
  if (next === undefined) throw new Error(`more without next: ${start.slice(0, 200)}`);
  return `&next=${encodeURIComponent(next)}`;
}

async function post({
  url,
  otherUrls = [],
  headers,
  connections,
  envelopes,
  objectsEach,
  from,
}: PostJob): Promise<Outcome> {
  const bodies = Array.from({ length: envelopes }, (_, n) => envelope(from + n * objectsEach, objectsEach));
  const queue = bodies[Symbol.iterator]();
  const ms: number[] = [];
  const urls = [url, ...otherUrls];
  const work = async (_: unknown, connection: number) => {
    const { origin, pathname } = new URL(urls[connection % urls.length] as string);
    const client = openConnection(origin);
    for (let body = queue.next(); !body.done; body = queue.next()) {
      const reply = await exchange(client, { method: 'POST', path: pathname, headers, body: body.value });
      expectStatus(reply, 202);
      ms.push(reply.ms);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, work));
  return { count: envelopes * objectsEach, seconds: (performance.now() - start) / 1000, ms };
}

// Without waiting for answers: those that come late must not make the next ones look early.
async function sample({ headers, everyMs }: SampleJob): Promise<Outcome> {
  const idle: ReturnType<typeof openConnection>[] = [];
  const pending = new Set<Promise<void>>();
  const ms: number[] = [];
  const ask = async () => {
    const client = idle.pop() ?? openConnection(job.url);
    const reply = await exchange(client, { path, headers });
    expectStatus(reply, 200);
    ms.push(reply.ms);
    idle.push(client);
  };
  await ask();
  ms.length = 0;
  const start = performance.now();
  const timer = setInterval(() => {
    const asked = ask().finally(() => pending.delete(asked));
    pending.add(asked);
  }, everyMs);
  process.stdout.write('\n');
  await input.next();
  clearInterval(timer);
  await Promise.all(pending);
  return { count: ms.length, seconds: (performance.now() - start) / 1000, ms };
}

function expectStatus({ status, start }: Reply, expected: number): void {
  if (status !== expected) throw new Error(`${job.kind} ${job.url} gave ${status}: ${start.slice(0, 500)}`);
}
