import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors.ts';
import { ignore } from './binaries.ts';
import { canEnter, commandOn, giveToServer, type Host, readMajor } from './host.ts';

/** A server as its postmaster.pid describes it. */
export interface Postmaster {
  pid: number;
  port: number;
  socketDir: string;
}

/** A server that this process has started. */
export interface StartedPostmaster {
  /** How the process has ended; undefined as long as it has not. */
  ending(): Promise<Ending | undefined>;
}

export interface Ending {
  /** Another process was faster, with its server or with stopping this one: a matter of trying again, not an error. */
  isContention: boolean;
  /** The last lines that it wrote. */
  lastLines: string;
}

export interface StartOptions {
  settings: Record<string, string>;
  logFile: string;
}

const port = 5432;
const draftInfix = '.init-';
const logBytesMax = 10 * 1024 * 1024;
const stopWaitMsMax = 60_000;

/**
 * Reads who runs on a data directory.
 *
 * A file that names a living process of somebody else is removed: PostgreSQL would refuse to start, though the number
 * was only given out again, as happens in containers. Where the process is dead, PostgreSQL removes the file itself.
 *
 * @returns undefined where no server runs; 'starting' where one is about to
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | 'starting' | undefined> {
  const file = join(cluster, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(ignore('ENOENT', 'ENOTDIR'));
  if (text === undefined) return undefined;
  const [pidLine = '', , , portLine, socketDir = ''] = text.split('\n');
  const pid = Number(pidLine);
  if (!Number.isInteger(pid) || pid <= 0) {
    // PostgreSQL fills the file a moment after it made it; left empty by a full disk, it would bar every start.
    if (await isOlderThan(file, 5_000)) await rm(file, { force: true });
    return 'starting';
  }
  if (await isPostmasterOf(pid, cluster)) {
    return socketDir === '' ? 'starting' : { pid, port: Number(portLine), socketDir };
  }
  // Should a server have taken the file over since, then the shared memory that goes with the data directory still
  // keeps a second one out.
  if (isAlive(pid)) await rm(file, { force: true });
  return undefined;
}

/** Whether a process is the PostgreSQL server of a data directory, and not one that got the same number later. */
export async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') {
    const command = spawnSync('ps', ['-ww', '-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout ?? '';
    return command.includes('postgres') && command.includes(cluster);
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(ignore('ENOENT', 'ESRCH'));
  // A process that ended without being waited for has an empty command line.
  const words = commandLine?.split('\0') ?? [];
  if (basename(words[0] ?? '') !== 'postgres') return false;
  // The data directory may have been moved under the server, which stands in it.
  return words.includes(cluster) || (await isSameDirectory(`/proc/${pid}/cwd`, cluster));
}

/**
 * Makes a data directory where there is none: under another name first, so that it appears whole or not at all.
 *
 * @throws OperatorError where initdb fails, or where something else stands in the place
 */
export async function ensureCluster(host: Host, options: { isDurable: boolean; notice: (message: string) => void }) {
  const { cluster, major } = host;
  const present = await readMajor(cluster);
  if (present === major) return;
  if (present !== undefined) {
    throw new OperatorError(
      `The data in ${cluster} were made by PostgreSQL ${present}, and this Taxiway brings PostgreSQL ${major}: go back to the Taxiway that made them, or set DATABASE_URL.`,
    );
  }
  await removeAbandonedDrafts(cluster);
  options.notice(`Creating the embedded database in ${cluster}.`);
  const draft = `${cluster}${draftInfix}${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(draft, { mode: 0o700 });
    await giveToServer(host, draft);
    await runInitdb(host, draft, options.isDurable);
    // Another starter may have been faster.
    await rename(draft, cluster).catch(ignore('ENOTEMPTY', 'EEXIST'));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  if ((await readMajor(cluster)) === undefined) {
    throw new OperatorError(
      `${cluster} holds something that is not a PostgreSQL data directory: move it away, or choose another TAXIWAY_DATA_DIR.`,
    );
  }
}

/**
 * Starts the server on an existing data directory, and does not wait for it to be ready.
 *
 * It is detached: Ctrl-C in the terminal reaches all processes of the foreground group, and the hub must be able to
 * finish its requests first.
 */
export async function startPostmaster(host: Host, options: StartOptions): Promise<StartedPostmaster> {
  const socketDir = await makeSocketDir(host);
  const log = await openLog(options.logFile);
  const child = spawnPostgres(host, serverSettings(socketDir, options.settings), log.handle.fd);
  // The listeners come before the next await: a server that fails at once would otherwise end unheard.
  let spawnError: Error | undefined;
  child.on('error', error => {
    spawnError = error;
  });
  // Such as where another starter was faster.
  for (const event of ['error', 'exit']) child.on(event, () => removeSocketDir(socketDir).catch(() => undefined));
  child.unref();
  await log.handle.close();
  return {
    async ending() {
      if (spawnError !== undefined) return { isContention: false, lastLines: spawnError.message };
      if (child.exitCode === null && child.signalCode === null) return undefined;
      const written = await readFrom(options.logFile, log.size);
      return {
        // It ends with 0 where another process has joined it, and left as the last one, before this one got its lease.
        isContention:
          child.exitCode === 0 ||
          /lock file ".*" (already exists|is empty)|pre-existing shared memory block/.test(written),
        lastLines: child.signalCode === null ? lastLines(written) : `${child.signalCode} ended it`,
      };
    },
  };
}

/**
 * Stops a server: open transactions are rolled back, and everything acknowledged is on disk. Resolves when it is gone.
 *
 * @returns false where it still runs after a minute
 */
export async function stopPostmaster(postmaster: Postmaster, cluster: string): Promise<boolean> {
  const deadline = Date.now() + stopWaitMsMax;
  signal(postmaster.pid, 'SIGINT');
  while (await isPostmasterOf(postmaster.pid, cluster)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  await removeSocketDir(postmaster.socketDir);
  return true;
}

/**
 * Removes the socket directories that the data directory's earlier servers left when they were killed.
 *
 * @param server the one that runs: every other directory whose starter has ended is of no use
 */
export async function sweepSocketDirs(server: Postmaster, cluster: string): Promise<void> {
  const parent = dirname(server.socketDir);
  const { uid } = await stat(cluster);
  for (const name of await readdir(parent)) {
    const directory = join(parent, name);
    if (directory === server.socketDir || !(await isAbandoned(directory, socketDirPrefix(cluster)))) continue;
    // Anybody can put a directory, or a link to one, into /tmp.
    const found = await lstat(directory).catch(ignore('ENOENT'));
    if (found?.isDirectory() && found.uid === uid) await removeSocketDir(directory);
  }
}

function serverSettings(socketDir: string, settings: Record<string, string>): Record<string, string> {
  return {
    // Trust is the only authentication: the socket in a directory of its owner's is the only way in.
    listen_addresses: '',
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    port: String(port),
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: '100',
    shared_buffers: `${chooseBufferMb()}MB`,
    cluster_name: 'taxiway',
    // The log is for the server's own troubles. Statements hold partners' data, and their errors reach the caller.
    log_checkpoints: 'off',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...settings,
  };
}

/**
 * PostgreSQL's own 128 MB hold the ids of some 800,000 objects. New objects come to random places among them, and each that is
 * not held costs a reading. Taken only as it is used.
 */
function chooseBufferMb(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.floor(Math.min(Math.max(memory / 8, 128 * 2 ** 20), 2 ** 31) / 2 ** 20);
}

function spawnPostgres(host: Host, settings: Record<string, string>, logFd: number): ChildProcess {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { file, args, options } = commandOn(host, join(host.bin, 'postgres'), ['-D', host.cluster, ...flags]);
  return spawn(file, args, { ...options, detached: true, stdio: ['ignore', logFd, logFd] });
}

async function runInitdb(host: Host, directory: string, isDurable: boolean): Promise<void> {
  const { file, args, options } = commandOn(host, join(host.bin, 'initdb'), [
    `--pgdata=${directory}`,
    '--username=taxiway',
    '--auth=trust',
    // The same database everywhere, whatever LANG says and whichever locales the system has.
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    '--no-instructions',
    ...(isDurable ? [] : ['--no-sync']),
  ]);
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const failure = await new Promise<string | undefined>(resolve => {
    child.on('error', error => resolve(error.message));
    child.on('close', code => resolve(code === 0 ? undefined : lastLines(output)));
  });
  if (failure !== undefined) throw new OperatorError(`PostgreSQL could not make ${host.cluster}: ${failure}`);
}

// What an initdb left whose starter was killed.
async function removeAbandonedDrafts(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  const prefix = `${basename(cluster)}${draftInfix}`;
  for (const name of await readdir(parent)) {
    const draft = join(parent, name);
    if (await isAbandoned(draft, prefix)) await rm(draft, { recursive: true, force: true });
  }
}

// Whether a path is of the given kind, and the process whose number it carries has ended.
async function isAbandoned(path: string, prefix: string): Promise<boolean> {
  if (!basename(path).startsWith(prefix)) return false;
  const pid = Number.parseInt(basename(path).slice(prefix.length), 10);
  // In a container the same number comes back at every start: what is older than this process is not its own.
  return pid === process.pid ? isOlderThan(path, process.uptime() * 1000) : !isAlive(pid);
}

async function makeSocketDir(host: Host): Promise<string> {
  // The path of a socket has at most 103 bytes (macOS); ours adds up to 48 to the parent's.
  const parent = Buffer.byteLength(tmpdir()) <= 55 && canEnter(host, tmpdir()) ? tmpdir() : '/tmp';
  const directory = await mkdtemp(join(parent, `${socketDirPrefix(host.cluster)}${process.pid}-`));
  await giveToServer(host, directory);
  return directory;
}

function socketDirPrefix(cluster: string): string {
  return `taxiway-${createHash('sha256').update(cluster).digest('hex').slice(0, 8)}-`;
}

// Takes the two files and the directory, and not a whole tree: what else may be there is not ours.
async function removeSocketDir(directory: string): Promise<void> {
  for (const name of [`.s.PGSQL.${port}`, `.s.PGSQL.${port}.lock`]) await rm(join(directory, name), { force: true });
  await rmdir(directory).catch(ignore('ENOENT', 'ENOTEMPTY'));
}

async function openLog(file: string) {
  const present = await stat(file).catch(ignore('ENOENT'));
  if (present !== undefined && present.size > logBytesMax) await rename(file, `${file}.1`).catch(ignore('ENOENT'));
  const handle = await open(file, 'a', 0o600);
  return { handle, size: (await handle.stat()).size };
}

async function readFrom(file: string, offset: number): Promise<string> {
  const bytes = await readFile(file).catch(ignore('ENOENT'));
  return bytes?.subarray(offset).toString('utf8') ?? '';
}

function lastLines(output: string): string {
  // Without the time and the number of the process.
  const lines = output.split('\n').map(line => line.replace(/^\d{4}-\S+ \S+ \S+ \[\d+\] /, '').trim());
  const last = lines.filter(line => line !== '').slice(-3);
  return last.length === 0 ? 'it wrote nothing' : last.join(' / ');
}

async function isOlderThan(path: string, ms: number): Promise<boolean> {
  const present = await stat(path).catch(ignore('ENOENT'));
  return present !== undefined && Date.now() - present.ctimeMs > ms;
}

async function isSameDirectory(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(path => stat(path).catch(ignore('ENOENT', 'EACCES', 'ESRCH'))));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

// Whether there was a process to take it; one of another account does not, and is there.
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
