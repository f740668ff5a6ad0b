import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The server under test; ../README.md tells where each comes from. */
export interface Target {
  url: string;
  /** path of the API root, with both slashes */
  apiRoot: string;
  /** values of the Authorization header */
  client: string;
  other: string | undefined;
  /** `user:password` of the client */
  basic: string | undefined;
  /** path of an API root in which the other client has no collection */
  otherApiRoot: string | undefined;
  /** ids of collections, by the client's rights */
  readWrite: string;
  readOnly: string;
  writeOnly: string;
  hidden: string;
  /** whether the decisions that the standard leaves to a server are this hub's */
  hasHouseRules: boolean;
}

type Variables = Record<string, string | undefined>;

const startMsMax = 120_000;

/** Known when a test file is collected, so that tests can be skipped where the server has not what they need. */
export const target: Target = await toTarget(process.env.TAXII_URL ? process.env : await joinOwnHub());

async function toTarget(variables: Variables): Promise<Target> {
  const need = (name: string): string => {
    const value = variables[name];
    if (!value) throw new Error(`${name} must be set, as test/conformance/README.md says.`);
    return value;
  };
  const url = need('TAXII_URL').replace(/\/+$/, '');
  const client = need('TAXII_AUTHORIZATION');
  return {
    url,
    apiRoot: toPath(variables.TAXII_API_ROOT ?? (await findDefaultApiRoot(url, client)), url),
    client,
    other: variables.TAXII_OTHER_AUTHORIZATION,
    basic: variables.TAXII_BASIC,
    otherApiRoot: variables.TAXII_OTHER_API_ROOT && toPath(variables.TAXII_OTHER_API_ROOT, url),
    readWrite: need('TAXII_READ_WRITE'),
    readOnly: need('TAXII_READ_ONLY'),
    writeOnly: need('TAXII_WRITE_ONLY'),
    hidden: need('TAXII_HIDDEN'),
    hasHouseRules: variables.TAXII_HOUSE_RULES === 'on',
  };
}

async function findDefaultApiRoot(url: string, authorization: string): Promise<string> {
  const headers = { accept: 'application/taxii+json;version=2.1', authorization };
  const response = await fetch(`${url}/taxii2/`, { headers });
  const { default: preferred } = (await response.json()) as { default?: unknown };
  if (typeof preferred === 'string') return preferred;
  throw new Error('TAXII_API_ROOT must be set: the discovery of this server names no default.');
}

function toPath(apiRoot: string, url: string): string {
  return new URL(apiRoot, url).pathname.replace(/\/*$/, '/');
}

/**
 * The hub that this run shares, started by whichever test file comes first: each file is a process of its own, and a
 * hub with partners, collections and tokens takes longer to make than a file takes to run.
 */
async function joinOwnHub(): Promise<Variables> {
  const runner = process.send ? process.ppid : process.pid;
  const directory = join(tmpdir(), `taxiway-conformance-${runner}`);
  if (await isLeftOver(directory)) await rm(directory, { recursive: true, force: true });
  if (await isFirst(directory)) {
    const program = fileURLToPath(new URL('./own-hub.mjs', import.meta.url));
    spawn(process.execPath, [program, directory, String(runner)], { detached: true, stdio: 'ignore' }).unref();
  }
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += 100) {
    const server = await readIfThere(join(directory, 'server.json'));
    if (server !== undefined) return JSON.parse(server);
    const failure = await readIfThere(join(directory, 'failure.txt'));
    if (failure !== undefined) throw new Error(failure);
    await sleep(100);
  }
  throw new Error(`The hub to test did not get ready (${directory}).`);
}

/** Whether a run that was broken off left its directory behind, under a process id that is in use again. */
async function isLeftOver(directory: string): Promise<boolean> {
  const pid = Number(await readIfThere(join(directory, 'own-hub.pid')));
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function isFirst(directory: string): Promise<boolean> {
  try {
    await mkdir(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
