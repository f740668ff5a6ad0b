import { readFile } from 'node:fs/promises';

// USER_HZ, in which Linux tells times to programs on every architecture.
const ticksPerSecond = 100;

/** The most resident memory that a process has had, in MB. @throws Error where there is no such /proc */
export async function readPeakMb(pid: number): Promise<number> {
  return readKilobytes(`/proc/${pid}/status`, 'VmHWM');
}

/** What processes hold now in MB; memory that they share counts once, in parts. */
export async function readProportionalMb(pids: number[]): Promise<number> {
  const each = pids.map(pid => readKilobytes(`/proc/${pid}/smaps_rollup`, 'Pss').catch(() => 0));
  return (await Promise.all(each)).reduce((sum, mb) => sum + mb, 0);
}

/** The seconds of processor time of a process; `withEnded`: and of its children that have ended. */
export async function readCpuSeconds(pid: number, options: { withEnded: boolean }): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold blanks: count after it. utime, stime, cutime and cstime are fields 14 to 17.
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, options.withEnded ? 15 : 13);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

/** The processes that a process has started and that still run. */
export async function listChildren(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

async function readKilobytes(file: string, name: string): Promise<number> {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(await readFile(file, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`${file} has no ${name}`);
  return (Number(kilobytes) * 1024) / 1e6;
}
