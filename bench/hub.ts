import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { locateCluster } from '../src/db/embedded/host.ts';
import { stopProcess, track } from './children.ts';
import type { Noise } from './machine.ts';
import type { Options } from './options.ts';

const program = fileURLToPath(new URL('../bin/taxiway.js', import.meta.url));
const tuned = new URL('tuned.ts', import.meta.url).href;
const startMsMax = 60_000;

/** What a measurement works with. */
export interface Bench {
  hub: BenchHub;
  options: Options;
  progress: (message: string) => void;
  /** what `interleave` notes of the machine */
  noise: Noise[];
  /** runs work while the process behind an inspector is profiled, where --profile asks for it */
  profile: <Result>(name: string, inspectorUrl: string, work: () => Promise<Result>) => Promise<Result>;
}

/** One process of a hub. */
export interface BenchNode {
  pid: number;
  /** without a slash at the end */
  url: string;
  /** where --profile asks for it */
  inspectorUrl: string | undefined;
  /** @returns with a slash at the end */
  collectionUrl(alias: string): string;
  stop(): Promise<void>;
}

/** A hub in a process of its own on a database of its own, with the settings that an operator gets who sets none. */
export interface BenchHub extends BenchNode {
  /** what commands on its database need */
  env: NodeJS.ProcessEnv;
  /** an empty directory for files of the measurements, removed at the end */
  directory: string;
  /** reads and writes in every collection */
  token: string;
  /** the slug of the token's partner */
  partner: string;
  /** @returns the URL of the collection, with a slash at the end */
  addCollection(alias: string): Promise<string>;
  /** starts a command on the hub's database, as `npx taxiway` does */
  spawnCommand(...args: string[]): ChildProcess;
  /** starts another process on the same database, with other settings */
  addNode(settings?: NodeJS.ProcessEnv): Promise<BenchNode>;
}

export interface HubOptions {
  /** with an inspector that a profile can be taken by */
  isInspected: boolean;
}

/** Starts a hub in a temporary directory, with a partner and its token. @throws Error where it does not start */
export async function startHub({ isInspected }: HubOptions): Promise<BenchHub> {
  const root = await mkdtemp(join(tmpdir(), 'taxiway-bench-'));
  // For root: PostgreSQL then runs under another account, which must be able to enter.
  await chmod(root, 0o755);
  // Neither an .env file nor the settings of this shell: what is measured is the default, on a database of its own, but
  // for limits, which are kept and never reached.
  const env = {
    PATH: process.env.PATH,
    TMPDIR: process.env.TMPDIR,
    LOG_LEVEL: 'warn',
    TAXIWAY_DEMO: 'off',
    TAXIWAY_REQUESTS_PER_MINUTE: '10000000',
    TAXIWAY_QUOTA_BYTES: String(2 ** 49),
    TAXIWAY_DATA_DIR: join(root, 'data'),
  };
  const runProgram = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [program, ...args], { cwd: root, env })).stdout.trim();
  const nodes: BenchNode[] = [];
  const addNode = async (settings: NodeJS.ProcessEnv = {}) => {
    const node = await startNode({ root, env: { ...env, ...settings }, isInspected });
    nodes.push(node);
    return node;
  };
  const stop = async () => {
    const cluster = await locateCluster(join(root, 'data'));
    // The first one started PostgreSQL, and goes last.
    for (const node of nodes.splice(0).reverse()) await node.stop();
    await rm(dirname(cluster), { recursive: true, force: true });
    await rm(root, { recursive: true, force: true });
  };
  try {
    const node = await addNode();
    const partner = 'bench';
    await runProgram('partner', 'add', partner, '--name', 'Benchmark', '--sector', 'finance');
    const addCollection = async (alias: string) => {
      await runProgram('collection', 'add', alias, '--title', alias);
      await runProgram('grant', partner, alias, 'read', 'write');
      return node.collectionUrl(alias);
    };
    await addCollection('empty');
    const scope = 'collection:*:read collection:*:write';
    return {
      ...node,
      env,
      directory: root,
      token: await runProgram('token', 'issue', partner, '--scope', scope, '--ttl', '1d'),
      partner,
      addCollection,
      spawnCommand: (...args) =>
        spawn(process.execPath, [program, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 2] }),
      addNode,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface NodeStart {
  root: string;
  env: NodeJS.ProcessEnv;
  isInspected: boolean;
}

async function startNode({ root, env, isInspected }: NodeStart): Promise<BenchNode> {
  const port = await findFreePort();
  const inspectorPort = isInspected ? await findFreePort() : undefined;
  const child = spawn(
    process.execPath,
    [...(inspectorPort ? [`--inspect=127.0.0.1:${inspectorPort}`] : []), program, 'serve'],
    { cwd: root, env: { ...env, PORT: String(port) }, stdio: ['ignore', 2, isInspected ? 'ignore' : 2] },
  );
  const url = `http://127.0.0.1:${port}`;
  await waitUntilAnswers(child, `${url}/readyz`);
  return {
    pid: child.pid as number,
    url,
    inspectorUrl: inspectorPort && `http://127.0.0.1:${inspectorPort}`,
    collectionUrl: alias => `${url}/hub/collections/${alias}/`,
    stop: () => stopProcess(child),
  } as BenchNode;
}

/** Starts a script of ours in a process of its own, on the database of a hub; the port that it gets comes first. */
export async function startServer(hub: BenchHub, script: URL, ...args: string[]) {
  const port = await findFreePort();
  const child = track(
    spawn(process.execPath, ['--import', 'tsx', '--import', tuned, fileURLToPath(script), String(port), ...args], {
      env: hub.env,
      stdio: ['ignore', 2, 2],
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  await waitUntilAnswers(child, url);
  return { pid: child.pid as number, url, stop: () => stopProcess(child) };
}

/** Any answer will do. @throws Error where the process ends before it answers, or takes too long */
export async function waitUntilAnswers(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + startMsMax;
  while (
    !(await fetch(url).then(
      response => response.status !== 503,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stopProcess(child);
      throw new Error(`nothing answers at ${url}`);
    }
    await sleep(50);
  }
}

/** A port that nothing listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
