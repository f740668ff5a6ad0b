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

const program = fileURLToPath(new URL('../bin/taxiway.js', import.meta.url));
const startMsMax = 60_000;

/** What a measurement works with. */
export interface Bench {
  hub: BenchHub;
  /** in the large collection, which has the alias `large` */
  objects: number;
  isQuick: boolean;
  progress: (message: string) => void;
}

/** A hub in a process of its own, with the settings that an operator gets who sets none. */
export interface BenchHub {
  pid: number;
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
  collectionUrl(alias: string): string;
  /** starts a command on the hub's database, as `npx taxiway` does */
  spawnCommand(...args: string[]): ChildProcess;
  /** stops it and removes all that it wrote */
  stop(): Promise<void>;
}

export async function startHub(): Promise<BenchHub> {
  const root = await mkdtemp(join(tmpdir(), 'taxiway-bench-'));
  // For root: PostgreSQL then runs under another account, which must be able to enter.
  await chmod(root, 0o755);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  // Neither an .env file nor the settings of this shell: what is measured is the default, on a database of its own, but
  // for limits, which are kept and never reached.
  const env = {
    PATH: process.env.PATH,
    TMPDIR: process.env.TMPDIR,
    PORT: String(port),
    LOG_LEVEL: 'warn',
    TAXIWAY_DEMO: 'off',
    TAXIWAY_REQUESTS_PER_MINUTE: '10000000',
    TAXIWAY_QUOTA_BYTES: String(2 ** 49),
    TAXIWAY_DATA_DIR: join(root, 'data'),
  };
  const runProgram = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [program, ...args], { cwd: root, env })).stdout.trim();

  const child = spawn(process.execPath, [program, 'serve'], { cwd: root, env, stdio: ['ignore', 2, 2] });
  const stop = async () => {
    const cluster = await locateCluster(join(root, 'data'));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(dirname(cluster), { recursive: true, force: true });
    await rm(root, { recursive: true, force: true });
  };
  try {
    await waitUntilAnswers(child, `${url}/readyz`);
    const partner = 'bench';
    await runProgram('partner', 'add', partner, '--name', 'Benchmark', '--sector', 'finance');
    const addCollection = async (alias: string) => {
      await runProgram('collection', 'add', alias, '--title', alias);
      await runProgram('grant', partner, alias, 'read', 'write');
    };
    await addCollection('empty');
    const scope = 'collection:*:read collection:*:write';
    const token = await runProgram('token', 'issue', partner, '--scope', scope, '--ttl', '1d');
    const collectionUrl = (alias: string) => `${url}/hub/collections/${alias}/`;
    return {
      pid: child.pid as number,
      env,
      directory: root,
      token,
      partner,
      collectionUrl,
      async addCollection(alias) {
        await addCollection(alias);
        return collectionUrl(alias);
      },
      spawnCommand: (...args) =>
        spawn(process.execPath, [program, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 2] }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws Error where the process ends before it answers, or takes too long */
export async function waitUntilAnswers(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + startMsMax;
  while (
    !(await fetch(url).then(
      response => response.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`nothing answers at ${url}`);
    await sleep(50);
  }
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
