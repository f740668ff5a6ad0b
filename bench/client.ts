import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { track } from './children.ts';
import { exchange, mediaType, openConnection, type Reply } from './exchange.ts';
import type { BenchHub } from './hub.ts';
import type { Work } from './interleave.ts';
import type { Job, Outcome, SampleJob } from './load.ts';

const autocannon = fileURLToPath(import.meta.resolve('autocannon'));
const load = fileURLToPath(new URL('load.ts', import.meta.url));

/** What a client sends with each request. */
export function headersOf({ token }: { token: string }): Record<string, string> {
  return { authorization: `Bearer ${token}`, accept: mediaType };
}

/** One request from this process. @throws Error where the status is not one of those expected */
export async function send(
  url: string,
  request: { method?: 'GET' | 'POST'; headers: Record<string, string>; body?: Buffer },
  expected: number[] = [200, 202],
): Promise<Reply> {
  const client = openConnection(url);
  try {
    const { pathname, search } = new URL(url);
    const reply = await exchange(client, { path: pathname + search, ...request });
    if (!expected.includes(reply.status)) throw new Error(`${url} gave ${reply.status}: ${reply.start}`);
    return reply;
  } finally {
    await client.close();
  }
}

/** Pages by `next`, one request after the other, to the end or for as long as the caller goes on. */
export async function* followNext(hub: BenchHub, url: string): AsyncGenerator<Reply> {
  const client = openConnection(url);
  const { pathname, search } = new URL(url);
  try {
    let next: string | undefined;
    do {
      const path = `${pathname}${search}${next === undefined ? '' : `&next=${next}`}`;
      const reply = await exchange(client, { path, headers: headersOf(hub) });
      if (reply.status !== 200) throw new Error(`${path} gave ${reply.status}: ${reply.start}`);
      // The hub writes `more` and `next` in front of the objects.
      next = /"next":"([\w-]+)"/.exec(reply.start)?.[1];
      yield reply;
    } while (next !== undefined);
  } finally {
    await client.close();
  }
}

/** Runs a job of load.ts. @throws Error where any answer is not what it should be */
export function runLoad(job: Job): Promise<Outcome> {
  return startLoad(job).finish();
}

/** How long each request takes, one every so many milliseconds, while something else is being done. */
export async function sampleDuring(job: Omit<SampleJob, 'kind'>, work: () => Promise<unknown>): Promise<number[]> {
  const { hasBegun, finish } = startLoad({ kind: 'sample', ...job });
  await hasBegun;
  await work().catch(async error => {
    await finish();
    throw error;
  });
  return (await finish()).ms;
}

function startLoad(job: Job) {
  const child = track(spawn(process.execPath, ['--import', 'tsx', load], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const exit = once(child, 'exit');
  child.stdin.write(`${JSON.stringify(job)}\n`);
  const output = text(child.stdout);
  return {
    // It writes before it ends only where there is something to wait for.
    hasBegun: Promise.race([once(child.stdout, 'data'), exit]),
    async finish(): Promise<Outcome> {
      child.stdin.end();
      const [code] = await exit;
      if (code !== 0) throw new Error(`a load of ${job.kind} failed: what it says stands above`);
      return JSON.parse(await output);
    },
  };
}

/** The same request over and over, by autocannon in a process of its own. @throws Error where any answer is an error */
export async function repeat(
  url: string,
  load: { headers: Record<string, string>; connections: number; seconds: number },
): Promise<Work> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[autocannon, '--json', '--no-progress'],
    ...['--connections', String(load.connections), '--duration', String(load.seconds)],
    ...Object.entries(load.headers).flatMap(([name, value]) => ['--headers', `${name}: ${value}`]),
    url,
  ]);
  const result = JSON.parse(stdout);
  const failed = result['4xx'] + result['5xx'] + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} requests of autocannon to ${url} failed`);
  return { count: result['2xx'] + result['3xx'], seconds: result.duration };
}
