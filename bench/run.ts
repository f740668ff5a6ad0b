/** Measures a hub: `npm run bench -- --help`. README.md beside this file says what each figure means. */
import { writeFile } from 'node:fs/promises';
import { stopAll } from './children.ts';
import { type FigureRecord, toRecord, toTable } from './figures.ts';
import { type Bench, startHub } from './hub.ts';
import { describeMachine, describeNoise, type Noise, readIdleShare } from './machine.ts';
import { measurements } from './measurements.ts';
import { type Options, parseOptions } from './options.ts';
import { takeProfile } from './profile.ts';
import { type Results, writeReport } from './report.ts';

const usage = `npm run bench -- [options]

  --quick          small collections, short and few repetitions: some minutes
  --large          10,000,000 objects in place of 1,000,000, and 1 GB in place of 100 MB: hours
  --objects N      the size of the large collection, a multiple of 10,000
  --only names     some measurements, with commas between them: ${Object.keys(measurements).join(', ')}
  --profile        profiles of the hub under each load into bench/results/profiles, and what took most on stderr
  --peers          installs OpenTAXII and medallion below the temporary directory and asks them the same
  --peer URL       another TAXII 2.1 server, asked the same in turn with the hub: the URL of an empty collection; with --user name:password or --token
  --report         measures nothing: the last results into bench/README.md, with charts

Results are written to bench/results/latest.json after each measurement.
`;
const resultsFile = new URL('results/latest.json', import.meta.url);
const progress = (message: string) => process.stderr.write(`${message}\n`);

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: Options | undefined;
  try {
    options = parseOptions(args, Object.keys(measurements));
  } catch (error) {
    progress(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (!options) {
    process.stdout.write(usage);
    return 0;
  }
  if (options.isReport) {
    await writeReport(resultsFile);
    return 0;
  }
  return measure(options);
}

/** @returns the exit code: 1 where a measurement failed */
async function measure(options: Options): Promise<number> {
  const results: Results = {
    date: new Date().toISOString(),
    // No credentials of peers.
    options: { isQuick: options.isQuick, isLarge: options.isLarge, objects: options.objects },
    machine: await describeMachine(),
    measurements: [],
  };
  const hub = await startHub({ isInspected: options.isProfile });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () =>
      stopAll()
        .then(() => hub.stop())
        .finally(() => process.exit(130)),
    );
  }
  try {
    for (const name of options.names) {
      const idleShareBefore = await readIdleShare();
      progress(`${name} (${Math.round(idleShareBefore * 100)} % idle before)`);
      const noise: Noise[] = [];
      const bench: Bench = { hub, options, progress, noise, profile: takeProfile(name, progress) };
      let figures: FigureRecord[] = [];
      let failure: string | undefined;
      const start = performance.now();
      try {
        figures = ((await measurements[name]?.(bench)) ?? []).map(toRecord);
      } catch (error) {
        failure = (error as Error).message;
        progress(`${name} failed: ${(error as Error).stack}`);
      }
      const seconds = (performance.now() - start) / 1000;
      results.measurements.push({ name, idleShareBefore, seconds, noise, figures, ...(failure && { failure }) });
      process.stdout.write(`## ${name}\n\n${toTable(figures)}\n\n${describeNoise(noise)}\n\n`);
      await writeFile(resultsFile, JSON.stringify(results, null, 2));
    }
  } finally {
    await hub.stop();
  }
  return results.measurements.some(({ failure }) => failure) ? 1 : 0;
}
