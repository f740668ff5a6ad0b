import { readFile } from 'node:fs/promises';

// USER_HZ, in which Linux tells times to programs on every architecture.
const ticksPerSecond = 100;

/** The most resident memory that a process has had, in MB. NaN where there is no /proc. */
export function readPeakMb(pid: number): Promise<number> {
  return readKilobytes(`/proc/${pid}/status`, 'VmHWM');
}

/** The seconds of processor time of a process. NaN where there is no /proc. */
export function readCpuSeconds(pid: number): Promise<number> {
  return readTimes(pid, 2);
}

/** The seconds of processor time of the PostgreSQL that a hub has started, all its processes, the ended ones too. */
export async function readDatabaseCpuSeconds(hubPid: number): Promise<number> {
  const [postmaster] = await listChildren(hubPid);
  if (postmaster === undefined) return Number.NaN;
  let seconds = await readTimes(postmaster, 4);
  for (const pid of await listChildren(postmaster)) seconds += (await readTimes(pid, 2)) || 0;
  return seconds;
}

/** utime, stime and, of children that have ended, cutime and cstime: fields 14 to 17. */
async function readTimes(pid: number, fields: 2 | 4): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name, in brackets, may hold blanks: count after it.
  const times = stat
    ?.slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 11 + fields);
  return (times ?? ['NaN']).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

async function listChildren(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

async function readKilobytes(file: string, name: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return (Number(kilobytes ?? Number.NaN) * 1024) / 1e6;
}
