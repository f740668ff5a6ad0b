import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { arch, cpus, loadavg, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './figures.ts';

/** What the figures were measured on. */
export async function describeMachine() {
  const processors = cpus();
  const hashMs = measureHash();
  const syncMs = await measureSync();
  const facts = {
    processors: `${processors.length} × ${processors[0]?.model.trim()}`,
    memoryGb: Math.round(totalmem() / 1e9),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    loadBefore: loadavg(),
    hashMs,
    syncMs,
  };
  const text = [
    `${facts.processors}, ${facts.memoryGb} GB, ${facts.platform}, Node ${facts.node}`,
    `fdatasync of 8 kB: ${describeSpread(syncMs)}; SHA-256 of 64 MB: ${describeSpread(hashMs)}`,
    `load average before: ${facts.loadBefore.map(load => load.toFixed(2)).join(', ')}`,
  ].join('\n');
  return { ...facts, text };
}

/** The same yardstick at the end: where it differs from the first, the machine did. */
export async function describeStrain() {
  const strain = { hashMs: measureHash(), syncMs: await measureSync(), loadAfter: loadavg() };
  const text = [
    `at the end: fdatasync ${describeSpread(strain.syncMs)}; SHA-256 ${describeSpread(strain.hashMs)}`,
    `load average after: ${strain.loadAfter.map(load => load.toFixed(2)).join(', ')} (the benchmark's own included)`,
  ].join('\n');
  return { ...strain, text };
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

// A fixed piece of work: it takes longer only where others take the processor.
function measureHash(): number[] {
  const block = Buffer.alloc(1 << 20);
  return Array.from({ length: 20 }, () => {
    const start = performance.now();
    const hash = createHash('sha256');
    for (let megabyte = 0; megabyte < 64; megabyte += 1) hash.update(block);
    hash.digest();
    return performance.now() - start;
  });
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

function describeSpread(values: number[]): string {
  return `${median(values).toFixed(2)} ms (${Math.min(...values).toFixed(2)} – ${Math.max(...values).toFixed(2)})`;
}
