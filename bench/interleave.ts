import type { Figure } from './figures.ts';
import type { Bench } from './hub.ts';
import { calibrate, readSteal } from './machine.ts';
import { readCpuSeconds, readDatabaseCpuSeconds } from './processes.ts';
import { ratios } from './statistics.ts';

const warmingMax = 8;

/** Something that is done over and over, in turn with what it is compared with. */
export interface Load {
  /** the process that answers; none where it is not on this machine */
  serverPid?: number;
  /** what to take its profile with, where it has one */
  inspectorUrl?: string | undefined;
  /** Does it once. @returns how many objects or requests it came to, in how many seconds */
  run(): Promise<Work>;
}

export interface Work {
  count: number;
  seconds: number;
}

/** What a load came to, a value for each repetition. */
export interface Samples {
  /** by the clock: what a client gets, with client, server and PostgreSQL sharing the processors */
  perSecond: number[];
  /** by the processor time of the server: what it could do with a core of its own */
  perServerCpuSecond: number[];
  /** processor time of PostgreSQL for one, in microseconds */
  databaseMicros: number[];
}

/** The samples of each load that there is. */
type SamplesOf<Loads> = { [Name in keyof Loads]: undefined extends Loads[Name] ? Samples | undefined : Samples };

/**
 * Runs loads in turn, first to warm up and then so many times, each time in the other direction, and notes how busy the
 * machine was.
 */
export async function interleave<Loads extends Record<string, Load | undefined>>(
  bench: Bench,
  loads: Loads,
  repetitions: number,
): Promise<SamplesOf<Loads>> {
  const runs = Object.entries(loads).flatMap(([name, load]) => {
    const samples: Samples = { perSecond: [], perServerCpuSecond: [], databaseMicros: [] };
    return load ? [{ name, load, samples }] : [];
  });
  for (const { load } of runs) await warmUp(load, bench.options.isQuick ? 1 : warmingMax);
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const run of repetition % 2 === 1 ? runs : runs.toReversed()) await takeSample(bench, run);
    const rates = runs.map(({ name, samples }) => `${name} ${samples.perSecond.at(-1)?.toFixed()}`);
    bench.progress(`  ${repetition} of ${repetitions}: ${rates.join(', ')} /s`);
  }
  return Object.fromEntries(runs.map(({ name, samples }) => [name, samples])) as SamplesOf<Loads>;
}

/** Until it becomes no faster: V8 goes on optimising for hundreds of thousands of requests, and hubs run for weeks. */
async function warmUp({ run }: Load, runsMax: number): Promise<void> {
  let rateBefore = 0;
  for (let count = 0; count < runsMax; count += 1) {
    const work = await run();
    const rate = work.count / work.seconds;
    if (rate < 1.03 * rateBefore) return;
    rateBefore = rate;
  }
}

async function takeSample(
  { hub, noise, profile }: Bench,
  { name, load, samples }: { name: string; load: Load; samples: Samples },
): Promise<void> {
  const { serverPid, inspectorUrl, run } = load;
  const readServer = async () => (serverPid === undefined ? Number.NaN : readCpuSeconds(serverPid));
  const calibrationMs = calibrate();
  const steal = await readSteal();
  const server = await readServer();
  const database = await readDatabaseCpuSeconds(hub.pid);
  const { count, seconds } = await (inspectorUrl ? profile(name, inspectorUrl, run) : run());
  samples.perSecond.push(count / seconds);
  samples.perServerCpuSecond.push(count / ((await readServer()) - server));
  samples.databaseMicros.push((((await readDatabaseCpuSeconds(hub.pid)) - database) * 1e6) / count);
  noise.push({ calibrationMs, stealShare: (await readSteal()).since(steal) });
}

/** One way of doing something. */
export interface Way {
  samples: Samples;
  /** a target of its rate */
  atLeast?: number;
  /** a target of its rate as a share of the ceiling's */
  ofCeiling?: number;
}

/** What the hub did in one way or several, beside the ceiling where there is one. */
export interface Comparison {
  /** such as `pages of 1,000` */
  what: string;
  /** of what is counted, such as `pages` */
  unit: string;
  /** what the cost is told of, and how many of them are in one that is counted */
  cost: { of: string; each: number };
  ceiling?: Samples;
  /** by name */
  hub: Record<string, Way>;
}

/** The rates, what each cost, and how they compare with the ceiling's: by the clock, and by the server's processor time. */
export function compare({ what, unit: counted, cost, ceiling, hub }: Comparison): Figure[] {
  const unit = `${counted}/s`;
  const chart = `${what}: ${unit}`;
  const figures: Figure[] = ceiling ? [{ name: `${what}, ceiling`, unit, values: ceiling.perSecond, chart }] : [];
  for (const [name, { samples, atLeast, ofCeiling }] of Object.entries(hub)) {
    const title = `${what}, ${name}`;
    const { perSecond, perServerCpuSecond, databaseMicros } = samples;
    figures.push({ name: title, unit, values: perSecond, chart, ...toTarget(atLeast) });
    if (ceiling) {
      const values = ratios(perSecond, ceiling.perSecond);
      figures.push({ name: `${title} / ceiling`, unit: '×', values, ...toTarget(ofCeiling) });
    }
    if (ceiling && !ceiling.perServerCpuSecond.some(Number.isNaN)) {
      const values = ratios(perServerCpuSecond, ceiling.perServerCpuSecond);
      figures.push({ name: `${title} / ceiling, by the server's processor time`, unit: '×', values });
    }
    const micros = { unit: `µs/${cost.of}` };
    const hubMicros = perServerCpuSecond.map(rate => 1e6 / rate / cost.each);
    figures.push({ name: `${title}: processor time of the hub`, values: hubMicros, ...micros });
    const ofDatabase = databaseMicros.map(one => one / cost.each);
    figures.push({ name: `${title}: processor time of PostgreSQL`, values: ofDatabase, ...micros });
  }
  return figures;
}

const toTarget = (atLeast: number | undefined) => (atLeast === undefined ? {} : { target: { atLeast } });
