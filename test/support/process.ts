import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { TestServer } from './database.ts';

const program = fileURLToPath(new URL('../../bin/taxiway.js', import.meta.url));

/** An operator's machine: a data directory, and the environment that every process there sees. */
export interface Site {
  dataDir: string;
  env: NodeJS.ProcessEnv;
  /** runs a command to its end */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** runs a command that must succeed, and gives what it printed without the last line break */
  ok(...args: string[]): Promise<string>;
  /** starts the hub and waits until it answers */
  serve(env?: NodeJS.ProcessEnv): Promise<RunningHub>;
  remove(): Promise<void>;
}

export interface RunningHub {
  url: string;
  process: ChildProcess;
  /** everything printed so far */
  output(): string;
  /** sends a signal and waits for the end */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export async function createSite(extra: NodeJS.ProcessEnv = {}): Promise<Site> {
  const dataDir = await mkdtemp(join(tmpdir(), 'taxiway-site-'));
  const { DATABASE_URL: _, ...inherited } = process.env;
  const env: NodeJS.ProcessEnv = { ...inherited, TAXIWAY_DATA_DIR: dataDir, TAXIWAY_DEMO: 'off', ...extra };
  const hubs: RunningHub[] = [];

  const run: Site['run'] = async (...args) => {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [code]] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      once(child, 'close'),
    ]);
    return { code, stdout, stderr };
  };
  return {
    dataDir,
    env,
    run,
    async ok(...args) {
      const { code, stdout, stderr } = await run(...args);
      if (code !== 0) throw new Error(`taxiway ${args.join(' ')} ended with ${code}: ${stderr}`);
      return stdout.trimEnd();
    },
    async serve(more = {}) {
      const hub = await startHub({ ...env, PORT: String(await freePort()), ...more });
      hubs.push(hub);
      return hub;
    },
    async remove() {
      await Promise.all(hubs.map(hub => hub.stop('SIGTERM')));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startHub(env: NodeJS.ProcessEnv): Promise<RunningHub> {
  const url = `${env.TLS_CERT ? 'https' : 'http'}://127.0.0.1:${env.PORT}`;
  const child = spawn(process.execPath, [program, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk;
    });
  }
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  while (!(await isReady(`${url}/readyz`))) {
    if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}: ${output}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return {
    url,
    process: child,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code, by] = await ended;
      return { code, signal: by };
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  const request = url.startsWith('https:') ? https.get(url, { rejectUnauthorized: false }) : http.get(url);
  const [answer] = (await once(request, 'response').catch(() => [])) as [http.IncomingMessage?];
  answer?.resume();
  return answer?.statusCode === 200;
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

/** A port that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** What DATABASE_URL must be for processes to work on a test's database. */
export function toDatabaseUrl(server: TestServer): string {
  if ('connectionString' in server) return server.connectionString;
  const { host, port, user, database } = server;
  return `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}
