import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Figure } from '../figures.ts';
import type { Bench } from '../hub.ts';
import { objectTexts } from '../indicators.ts';
import { readPeakMb } from '../processes.ts';

const memory = { unit: 'MB', target: { atMost: 300 } };

/** A bundle of 100 MB, or with --large of 1 GB, through `taxiway import` and `taxiway export`, beside the running hub. */
export async function measureBundle({ hub, options, progress }: Bench): Promise<Figure[]> {
  const bytesMin = options.isQuick ? 10e6 : options.isLarge ? 1e9 : 100e6;
  const repetitions = options.isQuick || options.isLarge ? 1 : 3;
  const given = join(hub.directory, 'given.json');
  const exported = join(hub.directory, 'exported.json');
  const objects = await writeBundle(given, bytesMin);
  progress(`  ${objects} objects in a bundle of ${bytesMin / 1e6} MB`);

  const imports: CommandRun[] = [];
  const again: CommandRun[] = [];
  const exports: CommandRun[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    const alias = `bundle-${repetition}`;
    await hub.addCollection(alias);
    const importing = ['import', alias, given, '--as', hub.partner, '--json'];
    imports.push(await run(hub.spawnCommand(...importing), { added: objects }));
    again.push(await run(hub.spawnCommand(...importing), { present: objects }));
    exports.push(await run(hub.spawnCommand('export', alias, exported)));
    if ((await stat(exported)).size !== (await stat(given)).size) throw new Error('the export differs from the import');
    const seconds = [imports, again, exports].map(runs => runs.at(-1)?.seconds.toFixed(1));
    progress(`  repetition ${repetition} of ${repetitions}: ${seconds.join(', ')} s`);
  }
  const size = `${bytesMin / 1e6} MB`;
  const describe = (name: string, runs: CommandRun[]): Figure[] => [
    { name: `${name}, time`, unit: 's', values: runs.map(({ seconds }) => seconds) },
    { name: `${name}, rate`, unit: 'objects/s', values: runs.map(({ seconds }) => objects / seconds) },
    { name: `${name}, peak memory`, values: runs.map(({ peakMb }) => peakMb), ...memory },
  ];
  return [
    ...describe(`import of ${size}`, imports),
    ...describe(`import of the same ${size} again`, again),
    ...describe(`export of ${size}`, exports),
  ];
}

interface CommandRun {
  seconds: number;
  peakMb: number;
}

/** @throws Error where the command fails, or does not say of itself what it should */
async function run(child: ChildProcess, expected: object = {}): Promise<CommandRun> {
  const start = performance.now();
  let peakMb = Number.NaN;
  // The mark only rises, so the last look before the end is the peak of all but the last moment.
  const watch = setInterval(async () => {
    peakMb = (await readPeakMb(child.pid as number)) || peakMb;
  }, 20);
  const [output, [code]] = await Promise.all([text(child.stdout as Readable), once(child, 'exit')]);
  clearInterval(watch);
  if (code !== 0) throw new Error(`a command failed with ${code}`);
  const said = output === '' ? {} : JSON.parse(output);
  for (const [name, value] of Object.entries(expected)) {
    if (said[name] !== value) throw new Error(`a command said ${output}`);
  }
  return { seconds: (performance.now() - start) / 1000, peakMb };
}

// With the line breaks that an export has, so that it must come out with the same size.
async function writeBundle(file: string, bytesMin: number): Promise<number> {
  let objects = 0;
  let bytes = 0;
  const write = function* () {
    yield '{"type":"bundle","id":"bundle--2f5a8b0e-6c0d-4c1e-9d55-0c8f4f1c7c11","objects":[\n';
    for (; bytes < bytesMin; objects += 1000) {
      const part = `${objects === 0 ? '' : ',\n'}${objectTexts(objects, 1000).join(',\n')}`;
      bytes += Buffer.byteLength(part);
      yield part;
    }
    yield '\n]}\n';
  };
  await pipeline(Readable.from(write()), createWriteStream(file));
  return objects;
}
