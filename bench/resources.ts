import { followNext, post } from './client.ts';
import type { Figure } from './figures.ts';
import type { Bench, BenchHub } from './hub.ts';
import { envelope } from './indicators.ts';
import { listChildren, readCpuSeconds, readPeakMb, readProportionalMb } from './processes.ts';
import { postAll } from './taking.ts';

const thousands = 50;

/** Processor time of the hub and of its PostgreSQL for 1,000 objects in and out, and the memory of both. */
export async function measureResources({ hub, isQuick, progress }: Bench): Promise<Figure[]> {
  if (process.platform !== 'linux') {
    progress('  only Linux tells: left out');
    return [];
  }
  const taking = `${await hub.addCollection('resources')}objects/`;
  const large = `${hub.collectionUrl('large')}objects/?limit=1000`;
  const into: CpuTime[] = [];
  const out: CpuTime[] = [];
  const databaseMb: number[] = [];
  for (let repetition = 0; repetition < (isQuick ? 3 : 7); repetition += 1) {
    const envelopes = Array.from({ length: thousands }, (_, n) => envelope(1000 * n, 1000));
    into.push(await spend(hub, () => postAll(envelopes, 1, body => post(hub, taking, body))));
    out.push(
      await spend(hub, async () => {
        let pages = 0;
        for await (const _ of followNext(hub, large)) if (++pages === thousands) break;
      }),
    );
    databaseMb.push(await readProportionalMb(await listDatabase(hub)));
  }
  const describe = (direction: string, times: CpuTime[]): Figure[] => [
    { name: `1,000 objects ${direction}, hub`, unit: 'CPU ms', values: times.map(one => one.hubMs) },
    { name: `1,000 objects ${direction}, PostgreSQL`, unit: 'CPU ms', values: times.map(one => one.databaseMs) },
  ];
  return [
    ...describe('in', into),
    ...describe('out', out),
    { name: 'hub, peak memory since its start', unit: 'MB', values: [await readPeakMb(hub.pid)] },
    { name: 'PostgreSQL, memory of all its processes', unit: 'MB', values: databaseMb },
  ];
}

/** For 1,000 objects, in milliseconds of processor time. */
interface CpuTime {
  hubMs: number;
  databaseMs: number;
}

async function spend(hub: BenchHub, work: () => Promise<void>): Promise<CpuTime> {
  const before = await readCpu(hub);
  await work();
  const after = await readCpu(hub);
  return {
    hubMs: ((after.hub - before.hub) * 1000) / thousands,
    databaseMs: ((after.database - before.database) * 1000) / thousands,
  };
}

async function readCpu(hub: BenchHub): Promise<{ hub: number; database: number }> {
  const [postmaster, ...backends] = await listDatabase(hub);
  let database = await readCpuSeconds(postmaster as number, { withEnded: true });
  for (const pid of backends) database += await readCpuSeconds(pid, { withEnded: false }).catch(() => 0);
  return { hub: await readCpuSeconds(hub.pid, { withEnded: false }), database };
}

/** The postmaster, which the hub has started, and what that has started. */
async function listDatabase(hub: BenchHub): Promise<number[]> {
  const [postmaster] = await listChildren(hub.pid);
  if (postmaster === undefined) throw new Error('the hub has no PostgreSQL of its own');
  return [postmaster, ...(await listChildren(postmaster))];
}
