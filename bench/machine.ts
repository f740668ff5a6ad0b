import { createHash } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { arch, cpus, loadavg, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, spread } from './statistics.ts';

/** How busy the machine was with other things at one repetition. */
export interface Noise {
  /** a fixed piece of work, in milliseconds, just before it */
  calibrationMs: number;
  /** of all processor time during it, what the host gave to other machines; NaN where the system does not tell */
  stealShare: number;
}

/** What the figures are measured on. */
export async function describeMachine() {
  const processors = cpus();
  const syncMs = await measureSync();
  const facts = {
    processors: `${processors.length} × ${processors[0]?.model.trim()}`,
    memoryGb: Math.round(totalmem() / 1e9),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    loadBefore: loadavg(),
    syncMs,
  };
  const text = [
    `${facts.processors}, ${facts.memoryGb} GB, ${facts.platform}, Node ${facts.node}.`,
    `fdatasync of 8 kB: ${median(syncMs).toFixed(2)} ms (${Math.min(...syncMs).toFixed(2)} – ${Math.max(...syncMs).toFixed(2)}).`,
    `Load average before: ${facts.loadBefore.map(load => load.toFixed(2)).join(', ')}.`,
  ].join(' ');
  return { ...facts, text };
}

/** How far to trust a run, in a sentence. '' where nothing was noted. */
export function describeNoise(noise: readonly Noise[]): string {
  if (noise.length === 0) return '';
  const times = noise.map(({ calibrationMs }) => calibrationMs);
  const steal = noise.map(({ stealShare }) => stealShare);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return (
    `A fixed piece of work before each of ${noise.length} samples took ${median(times).toFixed(2)} ms ` +
    `(${Math.min(...times).toFixed(2)} – ${Math.max(...times).toFixed(2)}, a spread of ${percent(spread(times))}); ` +
    `the host took ${percent(median(steal))} of the processors at the median, ${percent(Math.max(...steal))} at most.`
  );
}

/** The share of processor time that nobody used during a second. */
export async function readIdleShare(): Promise<number> {
  const read = () =>
    cpus().reduce(
      (sum, { times }) => ({
        idle: sum.idle + times.idle,
        all: sum.all + Object.values(times).reduce((a, b) => a + b),
      }),
      { idle: 0, all: 0 },
    );
  const before = read();
  await sleep(1000);
  const after = read();
  return (after.idle - before.idle) / (after.all - before.all);
}

const block = Buffer.alloc(1 << 20);

/** Milliseconds of a fixed piece of work: it takes longer only where others take the processor. */
export function calibrate(): number {
  const start = performance.now();
  const hash = createHash('sha256');
  for (let megabyte = 0; megabyte < 16; megabyte += 1) hash.update(block);
  hash.digest();
  return performance.now() - start;
}

/** The ticks that the host took from this machine, and all ticks: the first line of /proc/stat. */
export async function readSteal() {
  const text = await readFile('/proc/stat', 'utf8').catch(() => '');
  // user nice system idle iowait irq softirq steal; what follows is in user already
  const ticks = text.split('\n')[0]?.trim().split(/ +/).slice(1, 9).map(Number) ?? [];
  const now = { stolen: ticks[7] ?? Number.NaN, all: ticks.reduce((sum, one) => sum + one, 0) };
  return {
    ...now,
    since: (before: { stolen: number; all: number }) =>
      (now.stolen - before.stolen) / Math.max(1, now.all - before.all),
  };
}

// What a durable commit cannot be faster than.
async function measureSync(): Promise<number[]> {
  const file = join(tmpdir(), `taxiway-bench-sync-${process.pid}`);
  const handle = await open(file, 'w');
  const block = Buffer.alloc(8192);
  const times: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const start = performance.now();
    await handle.write(block, 0, block.length, n * block.length);
    await handle.datasync();
    times.push(performance.now() - start);
  }
  await handle.close();
  await rm(file);
  return times;
}
