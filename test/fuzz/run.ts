import { parseArgs } from 'node:util';
import { fuzzObjects } from './object-fuzz.ts';
import { fuzzPatterns } from './pattern-fuzz.ts';

// `node --import tsx test/fuzz/run.ts --seconds 60 [--seed N]`: the fuzzers take turns for that time in all.
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed))
  throw new Error('--seconds takes a number above 0, --seed an integer');

const sliceMs = 2000;
const shownMax = 5;
const charactersMax = 2000;
const fuzzers = { objects: fuzzObjects, patterns: fuzzPatterns };
const found = Object.entries(fuzzers).map(([name, fuzz]) => ({ name, fuzz, runs: 0, failures: [] as Failure[] }));

interface Failure {
  input: string;
  reason: string;
}

console.log(`seed ${seed}`);
const start = performance.now();
const end = start + seconds * 1000;
// Each slice has a seed of its own, or it would begin with the same inputs again.
for (let slice = 0; performance.now() < end && !found.some(({ failures }) => failures.length > 0); slice += 1) {
  const turn = found[slice % found.length] as (typeof found)[number];
  const until = Math.min(end, performance.now() + sliceMs);
  const { runs, failures } = turn.fuzz({ until, seed: (seed + slice) >>> 0 });
  turn.runs += runs;
  turn.failures.push(...failures);
  showProgress();
}
if (process.stderr.isTTY) process.stderr.write('\n');

for (const { name, runs, failures } of found) {
  console.log(`${name}: ${runs} judged, ${failures.length} failures`);
  const shortest = failures.toSorted((one, other) => one.input.length - other.input.length);
  for (const { input, reason } of shortest.slice(0, shownMax)) {
    console.log(`  ${reason}: ${input.length} characters\n    ${input.slice(0, charactersMax)}`);
  }
}
process.exitCode = found.some(({ failures }) => failures.length > 0) ? 1 : 0;

function showProgress(): void {
  if (!process.stderr.isTTY) return;
  const done = found.map(({ name, runs }) => `${runs} ${name}`).join(', ');
  process.stderr.write(`\r${((performance.now() - start) / 1000).toFixed()} of ${seconds} s: ${done}`);
}
