import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors.ts';
import { type Binaries, ignore, linkLibraries } from './binaries.ts';

/** How PostgreSQL's programs are run: under which account, and behind which words of command. */
export interface Runner {
  prefix: readonly string[];
  /** Absent: the account of this process. */
  account?: Account;
}

export interface Account {
  uid: number;
  gid: number;
}

/** Where and how PostgreSQL runs on this machine. */
export interface Host {
  /** Its data directory, below a directory that its account can reach. */
  cluster: string;
  /** The directory of `initdb` and `postgres`. */
  bin: string;
  /** PostgreSQL's major version. */
  major: string;
  /** All that its environment holds: the hub's own environment has secrets that are none of its business. */
  env: Record<string, string>;
  runner: Runner;
}

/** What stands in a runner's way; undefined where it can run the binaries and reach the directory. */
export type FindObstacle = (runner: Runner, attempt: Attempt) => string | undefined;

export interface Attempt {
  bin: string;
  directory: string;
  env: Record<string, string>;
}

export interface HostOptions {
  dataDir: string;
  binaries: Binaries;
  notice: (message: string) => void;
  findObstacle?: FindObstacle;
  /** Where root keeps what the server's account cannot reach elsewhere. */
  refuge?: string;
}

const defaultRefuge = '/var/lib/taxiway';
const searchPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/**
 * The data directory of PostgreSQL for a data directory of ours, whether it exists yet or not.
 * It is `<dataDir>/postgres`, save where root had to keep it in the refuge.
 */
export async function locateCluster(dataDir: string, refuge = defaultRefuge): Promise<string> {
  if (!isRoot()) return join(dataDir, 'postgres');
  const sheltered = shelteredCluster(dataDir, refuge);
  return (await readMajor(sheltered)) === undefined ? join(dataDir, 'postgres') : sheltered;
}

/** Major version of the data directory; undefined where there is none. */
export async function readMajor(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(ignore('ENOENT', 'ENOTDIR'));
  return text?.trim();
}

/**
 * Decides how PostgreSQL runs here, and makes the binaries and an existing data directory fit for it.
 *
 * PostgreSQL refuses to run as root: root runs it as the data directory's owner or as nobody, else in a user namespace,
 * else from copies in the refuge.
 *
 * @throws OperatorError where there is no way
 */
export async function prepareHost(options: HostOptions): Promise<Host> {
  const { dataDir, binaries, notice, findObstacle = findObstacleHere, refuge = defaultRefuge } = options;
  const cluster = await locateCluster(dataDir, refuge);
  const major = binaries.version.split('.')[0] ?? '';
  const bin = join(binaries.native, 'bin');
  const env = {
    PATH: searchPath,
    LC_ALL: 'C',
    ...(await linkLibraries(binaries.native, join(dataDir, 'postgres-lib'))),
  };
  const attempt = { bin, directory: dataDir, env };

  const obstacle = findObstacle({ prefix: [] }, attempt);
  if (obstacle !== undefined) throw unusable(bin, obstacle);
  if (!isRoot()) return { cluster, bin, major, env, runner: { prefix: [] } };

  const account = await findServerAccount(cluster);
  const runner =
    cluster === shelteredCluster(dataDir, refuge)
      ? undefined
      : chooseRunner(account, candidate => findObstacle(candidate, attempt) === undefined);
  const host =
    runner === undefined
      ? await takeRefuge(options, { account, cluster, refuge, major })
      : { cluster, bin, major, env, runner };
  if (host.cluster !== join(dataDir, 'postgres')) {
    notice(
      `PostgreSQL cannot run as root and its account cannot reach ${dataDir} or the programs: the data are in ${host.cluster}.`,
    );
  }
  await ensureOwner(host);
  return host;
}

/**
 * The way in which root runs PostgreSQL in place, preferring another account to a user namespace: in the namespace the
 * server keeps root's files.
 *
 * @returns undefined where neither works
 */
export function chooseRunner(account: Account, canRun: (runner: Runner) => boolean): Runner | undefined {
  const { uid, gid } = account;
  const candidates: Runner[] = [
    { prefix: [], account },
    { prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'] },
  ];
  return candidates.find(canRun);
}

/** The words and the options for `spawn` that run a program in the host's way. */
export function commandOn(host: Pick<Host, 'env' | 'runner'>, program: string, args: readonly string[]) {
  const [file = program, ...rest] = [...host.runner.prefix, program, ...args];
  // The directory that this process stands in may be closed to the other account.
  return { file, args: rest, options: { cwd: '/', env: host.env, ...host.runner.account } };
}

/** Makes the server's account the owner of a file or directory that this process made for it. */
export async function giveToServer(host: Pick<Host, 'runner'>, path: string): Promise<void> {
  const { account } = host.runner;
  if (account !== undefined) runAsRoot('chown', ['-R', `${account.uid}:${account.gid}`, path]);
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function shelteredCluster(dataDir: string, refuge: string): string {
  return join(refuge, createHash('sha256').update(dataDir).digest('hex').slice(0, 16), 'postgres');
}

// Whoever owns the data keeps them, such as a user who once ran the hub without being root.
async function findServerAccount(cluster: string): Promise<Account> {
  const owner = await stat(cluster).catch(ignore('ENOENT', 'ENOTDIR'));
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  // initdb insists on an account that has a name.
  const passwd = await readFile('/etc/passwd', 'utf8');
  const nobody = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(passwd);
  if (nobody === null) {
    throw new OperatorError(
      'PostgreSQL refuses to run as root and there is no account called nobody: start Taxiway as another user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/** The real answer to what stands in a runner's way: runs the server's `--version`, and enters the directory. */
export function findObstacleHere(runner: Runner, { bin, directory, env }: Attempt): string | undefined {
  const { file, args, options } = commandOn({ env, runner }, join(bin, 'postgres'), ['--version']);
  const result = spawnSync(file, args, { ...options, encoding: 'utf8' });
  const { code, message } = (result.error ?? {}) as NodeJS.ErrnoException;
  // The program is there, so what is absent is its loader.
  if (code === 'ENOENT' && file.startsWith(bin)) return 'it needs glibc, which Alpine Linux does not have';
  if (message !== undefined) return message;
  if (result.status !== 0) return result.stderr.trim() || `it ended with ${result.status ?? result.signal}`;
  return canEnter({ env, runner }, directory) ? undefined : `its account cannot enter ${directory}`;
}

/** Whether the server's account can reach what lies in a directory. */
export function canEnter(host: Pick<Host, 'env' | 'runner'>, directory: string): boolean {
  const { file, args, options } = commandOn(host, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory]);
  return spawnSync(file, args, options).status === 0;
}

interface RefugeOptions {
  account: Account;
  cluster: string;
  refuge: string;
  major: string;
}

// Copies of the binaries and the data themselves, where every account can go.
async function takeRefuge({ dataDir, binaries, findObstacle = findObstacleHere }: HostOptions, options: RefugeOptions) {
  const { account, cluster, refuge, major } = options;
  const sheltered = shelteredCluster(dataDir, refuge);
  if (cluster !== sheltered && (await readMajor(cluster)) !== undefined) {
    throw new OperatorError(
      `The account ${account.uid}, which must run PostgreSQL in place of root, cannot reach ${cluster}: open the directories above it (chmod o+x), or set DATABASE_URL.`,
    );
  }
  const version = join(refuge, binaries.version);
  for (const directory of [refuge, version, join(sheltered, '..')]) {
    await mkdir(directory, { recursive: true });
    // Whatever the umask was: other accounts must pass.
    await chmod(directory, 0o755);
  }
  const native = join(version, 'native');
  await copyOnce(binaries.native, native);
  const bin = join(native, 'bin');
  const env = { PATH: searchPath, LC_ALL: 'C', ...(await linkLibraries(native, join(version, 'lib'))) };
  const runner = { prefix: [], account };
  const obstacle = findObstacle(runner, { bin, directory: join(sheltered, '..'), env });
  if (obstacle !== undefined) throw unusable(bin, obstacle);
  return { cluster: sheltered, bin, major, env, runner };
}

// Another starter may copy at the same time: the copy appears whole or not at all.
async function copyOnce(source: string, target: string): Promise<void> {
  if ((await stat(target).catch(ignore('ENOENT'))) !== undefined) return;
  const draft = `${target}.copy-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await cp(source, draft, { recursive: true, verbatimSymlinks: true });
  runAsRoot('chmod', ['-R', 'a+rX', draft]);
  await rename(draft, target).catch(ignore('ENOTEMPTY', 'EEXIST'));
  await rm(draft, { recursive: true, force: true });
}

// Data that were made in another way, such as in a user namespace, belong to another account than the one chosen now.
async function ensureOwner(host: Host): Promise<void> {
  const present = await stat(host.cluster).catch(ignore('ENOENT'));
  if (present === undefined) return;
  const { uid, gid } = host.runner.account ?? { uid: 0, gid: 0 };
  if (present.uid !== uid) runAsRoot('chown', ['-R', `${uid}:${gid}`, host.cluster]);
}

function runAsRoot(command: string, args: string[]): void {
  const result = spawnSync(command, args, { env: { PATH: searchPath, LC_ALL: 'C' }, encoding: 'utf8' });
  if (result.status === 0) return;
  const reason = result.error?.message ?? result.stderr.trim();
  throw new OperatorError(`${command} failed for the embedded database (${reason}): set DATABASE_URL.`);
}

function unusable(bin: string, obstacle: string): OperatorError {
  return new OperatorError(
    `The PostgreSQL in ${bin} cannot run here (${obstacle}): set DATABASE_URL to a PostgreSQL server.`,
  );
}
