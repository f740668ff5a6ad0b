/** Measures a hub: `npm run bench -- --help`. README.md beside this file says what each figure means. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { measureAuthorisation } from './authorisation.ts';
import { measureBundle } from './bundle.ts';
import { type Figure, toRecord, toTable } from './figures.ts';
import { measureFilling } from './filling.ts';
import { measureHandingOut } from './handing-out.ts';
import { type Bench, startHub } from './hub.ts';
import { measureJudging } from './judging.ts';
import { describeMachine, describeStrain, readIdleShare } from './machine.ts';
import { measurePageTime } from './page-time.ts';
import { measureResources } from './resources.ts';
import { measureTaking } from './taking.ts';

const usage = `npm run bench -- [--quick] [--objects N] [--only <name>]

  --quick       50,000 objects and fewer, shorter repetitions
  --objects N   the size of the large collection (1,000,000)
  --only name   one measurement: judging, taking, filling, handing-out, authorisation,
                page-time, bundle or resources
`;

const measurements: Record<string, (bench: Bench) => Promise<Figure[]>> = {
  judging: measureJudging,
  taking: measureTaking,
  filling: measureFilling,
  'handing-out': measureHandingOut,
  authorisation: measureAuthorisation,
  'page-time': measurePageTime,
  bundle: measureBundle,
  resources: measureResources,
};
/** These read what `filling` made. */
const needFilling = ['handing-out', 'authorisation', 'page-time', 'resources'];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    objects: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const objects = Number(options.objects ?? (options.quick ? 50_000 : 1_000_000));
const names = chooseMeasurements(options.only);
if (options.help || !names || !Number.isInteger(objects / 1000) || objects < 10_000) {
  process.stderr.write(`${usage}\nN is a multiple of 1,000, at least 10,000.\n`);
  process.exit(options.help ? 0 : 2);
}

const progress = (message: string) => process.stderr.write(`${message}\n`);
const machine = await describeMachine();
const hub = await startHub();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => hub.stop().finally(() => process.exit(130)));
}
try {
  const bench: Bench = { hub, objects, isQuick: options.quick, progress };
  const results = [];
  for (const name of names) {
    const idleShareBefore = await readIdleShare();
    progress(`${name} (${Math.round(idleShareBefore * 100)} % idle before)`);
    const figures = await measurements[name]?.(bench);
    results.push({ name, idleShareBefore, figures: figures ?? [] });
  }
  const strain = await describeStrain();
  const figures = results.flatMap(result => result.figures);
  const idle = results.map(({ name, idleShareBefore }) => `${name} ${Math.round(idleShareBefore * 100)} %`);
  process.stdout.write(`${toTable(figures)}\n\n${machine.text}\n${strain.text}\n`);
  process.stdout.write(`idle before: ${idle.join(', ')}\n`);
  await writeFile(
    new URL('results/latest.json', import.meta.url),
    JSON.stringify(
      {
        date: new Date().toISOString(),
        options: { objects, quick: options.quick },
        machine: { ...machine, strain },
        measurements: results.map(({ figures, ...rest }) => ({ ...rest, figures: figures.map(toRecord) })),
      },
      null,
      2,
    ),
  );
} finally {
  await hub.stop();
}

function chooseMeasurements(only: string | undefined): string[] | undefined {
  if (only === undefined) return Object.keys(measurements);
  if (!measurements[only]) return undefined;
  return needFilling.includes(only) ? ['filling', only] : [only];
}
