import { execFile } from 'node:child_process';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchHub } from './hub.ts';

const mediaType = 'application/taxii+json;version=2.1';
const agent = new Agent({ keepAlive: true });
const autocannon = fileURLToPath(import.meta.resolve('autocannon'));

/** What came back, unparsed: parsing would measure this process. */
export interface Reply {
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** from sending to the last byte */
  ms: number;
}

/** @throws Error where the status is not 2xx */
export function get(hub: BenchHub, url: string): Promise<Reply> {
  return send(hub, 'GET', url);
}

/** @throws Error where the status is not 2xx */
export function post(hub: BenchHub, url: string, body: Buffer): Promise<Reply> {
  return send(hub, 'POST', url, body);
}

function send(hub: BenchHub, method: string, url: string, body?: Buffer): Promise<Reply> {
  const start = performance.now();
  const headers = {
    accept: mediaType,
    authorization: `Bearer ${hub.token}`,
    ...(body && { 'content-type': mediaType, 'content-length': body.length }),
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent, method, headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const reply = { headers: response.headers, body: Buffer.concat(chunks), ms: performance.now() - start };
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(reply);
        else reject(new Error(`${method} ${url} gave ${status}: ${reply.body.subarray(0, 500)}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Pages through a collection by `next`, one request after the other, to its end or for as long as the caller goes on. */
export async function* followNext(hub: BenchHub, url: string): AsyncGenerator<Reply> {
  let next: string | undefined;
  do {
    const reply = await get(hub, next === undefined ? url : `${url}&next=${next}`);
    // The hub writes `more` and `next` in front of the objects.
    next = /"next":"([\w-]+)"/.exec(reply.body.toString('latin1', 0, 1000))?.[1];
    yield reply;
  } while (next !== undefined);
}

/** How many requests a second a URL answers to so many connections, by autocannon in a process of its own. */
export async function requestsPerSecond(
  hub: BenchHub,
  url: string,
  load: { connections: number; seconds: number },
): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[autocannon, '--json', '--no-progress'],
    ...['--connections', String(load.connections), '--duration', String(load.seconds)],
    ...['--headers', `authorization: Bearer ${hub.token}`, '--headers', `accept: ${mediaType}`],
    url,
  ]);
  const result = JSON.parse(stdout);
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} requests of autocannon to ${url} failed`);
  return result['2xx'] / result.duration;
}
