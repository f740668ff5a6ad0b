import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { judgePattern } from '../../src/stix/pattern/judge.ts';
import { createValidator } from '../../src/stix/validate.ts';
import { domainSamples } from '../../test/support/samples/domain-objects.ts';
import { observableSamples } from '../../test/support/samples/observables.ts';
import type { Figure } from '../figures.ts';
import type { Bench } from '../hub.ts';
import { objectTexts } from '../indicators.ts';

const attack = new URL('../../../shared/data/mobile-attack-17.1.json', import.meta.url);
const judge = fileURLToPath(new URL('../../dist/stix/validate.js', import.meta.url));
const secondsEach = 0.5;

const patterns = [
  "[domain-name:value = 'login-17.bank.example']",
  "[ipv4-addr:value = '198.51.100.7']",
  "[url:value = 'https://login-17.bank.example/session/new?next=%2Fhome']",
  "[file:hashes.'SHA-256' = '0a3f1c77b5d94e2287c6e9d1b4f05a83c2e71d6f98b0a4c35d6e7f8091a2b3c4']",
  "[file:hashes.MD5 = '7d793037a0760186574b0282f2f435e7' AND file:size > 1024]",
  "[domain-name:value = 'a.example' OR ipv4-addr:value = '198.51.100.8'] FOLLOWEDBY [url:value LIKE '%/gate.php']",
  "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_port IN (443, 8443)] WITHIN 300 SECONDS",
];

/** Objects and patterns judged a second of processor time, parsed already, in one thread; and the start of the judge. */
export async function measureJudging({ options, progress }: Bench): Promise<Figure[]> {
  const validator = createValidator();
  const judgeAll = (objects: unknown[], policy: 'strict' | 'tolerant') => () => {
    const now = new Date();
    for (const object of objects) validator.judge(object, { policy, now });
    return objects.length;
  };
  const indicators = objectTexts(0, 1000).map(text => JSON.parse(text));
  const samples = [...domainSamples, ...observableSamples];
  const mobile: unknown[] = existsSync(attack) ? JSON.parse(readFileSync(attack, 'utf8')).objects : [];
  const runs: [Figure, () => number][] = [
    [figure('judged, indicators, strict', 'objects/s'), judgeAll(indicators, 'strict')],
    [figure('judged, one full sample of each type, strict', 'objects/s'), judgeAll(samples, 'strict')],
    [figure('judged, patterns', 'patterns/s', { atLeast: 200_000 }), () => patterns.map(judgePattern).length],
  ];
  if (mobile.length > 0) {
    const target = { atLeast: 50_000 };
    runs.push([figure('judged, ATT&CK mobile 17.1, strict', 'objects/s', target), judgeAll(mobile, 'strict')]);
    runs.push([figure('judged, ATT&CK mobile 17.1, tolerant', 'objects/s', target), judgeAll(mobile, 'tolerant')]);
  }
  const start = figure('judge, import and first object', 'ms', { atMost: 150 });
  for (const [, run] of runs) ratePerCpuSecond(run);
  for (let repetition = 1; repetition <= (options.isQuick ? 3 : 7); repetition += 1) {
    for (const [{ values }, run] of runs) values.push(ratePerCpuSecond(run));
    start.values.push(measureStart());
    progress(`  repetition ${repetition}: ${runs.map(([{ values }]) => values.at(-1)?.toFixed()).join(', ')} /s`);
  }
  return [...runs.map(([figure]) => figure), start];
}

function figure(name: string, unit: string, target?: Figure['target']): Figure {
  return { name, unit, values: [], ...(target && { target }) };
}

function ratePerCpuSecond(run: () => number): number {
  const before = process.cpuUsage();
  const end = performance.now() + secondsEach * 1000;
  let count = 0;
  while (performance.now() < end) count += run();
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

/** In a process of its own, from before the first import to the first object judged. */
function measureStart(): number {
  const object = objectTexts(0, 1)[0];
  const script = `
    const start = performance.now();
    const { createValidator } = await import(${JSON.stringify(judge)});
    createValidator().judge(${object}, { policy: 'strict', now: new Date() });
    console.log(performance.now() - start);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}
