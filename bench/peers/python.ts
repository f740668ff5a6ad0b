import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { track } from '../children.ts';

// Outside of the repository, and kept for the next run.
const environments = join(tmpdir(), 'taxiway-bench-peers');

/** Programs of a Python package in a virtual environment of its own. */
export interface PythonEnvironment {
  /** waits for it. @returns its output */
  run(program: string, args: string[], env?: NodeJS.ProcessEnv): Promise<string>;
  start(program: string, args: string[], env?: NodeJS.ProcessEnv): ChildProcess;
}

/** @throws Error where there is no Python, or the packages cannot be had */
export async function installPython(name: string, packages: string[]): Promise<PythonEnvironment> {
  const directory = join(environments, name);
  const locate = (program: string) => join(directory, 'bin', program);
  const run = async (program: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    (await promisify(execFile)(locate(program), args, { env: { PATH: process.env.PATH, ...env } })).stdout;
  // Written last, so that what was left half installed is installed again.
  const stamp = join(directory, 'packages.txt');
  if ((await readFile(stamp, 'utf8').catch(() => '')) !== packages.join('\n')) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(environments, { recursive: true });
    await promisify(execFile)('python3', ['-m', 'venv', directory]);
    await run('pip', ['install', '--quiet', '--disable-pip-version-check', ...packages], { HOME: process.env.HOME });
    await writeFile(stamp, packages.join('\n'));
  }
  return {
    run,
    start: (program, args, env = {}) =>
      track(spawn(locate(program), args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' })),
  };
}
