import { existsSync, readFileSync } from 'node:fs';
import { judgePattern } from '../../src/stix/pattern/judge.ts';

export interface FuzzFailure {
  input: string;
  reason: string;
}

const lengthMax = 1_000_000;
const timeLimitMs = 200;
const failuresMax = 20;

const ownSeeds = [
  "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
  "([ipv4-addr:value = '198.51.100.5'] AND [ipv4-addr:value = '198.51.100.10']) WITHIN 300 SECONDS",
  "[(file:name = 'pdf.exe' OR file:size = 371712) AND file:created = t'2014-01-13T07:03:17Z']",
  "[process:name NOT IN ('a', 'b') AND EXISTS process:pid] START t'2016-01-01T00:00:00Z' STOP t'2017-01-01T00:00:00Z'",
  "[email-message:body_multipart[*].body_raw_ref.name MATCHES '^(?i:Final) Report[^/]+\\\\.exe$'] REPEATS 5 TIMES",
  "[network-traffic:dst_ref.value ISSUBSET '2001:db8::/64' OR file:magic_number_hex = h'ffd8' OR file:name = b'ABI=']",
];

// What the grammar is made of, and what is nearly that.
const pieces = [
  ...'[ ] ( ) : . , * = == != <> < <= > >= AND OR NOT FOLLOWEDBY LIKE MATCHES ISSUBSET ISSUPERSET EXISTS IN'.split(' '),
  ...'START STOP SECONDS TIMES WITHIN REPEATS true false 0 1 01 -1 +1 .5 1. 1e5 - + a:b file a-b _x hashes MD5'.split(
    ' ',
  ),
  ...[
    "t'2016-02-30T00:00:60.5Z'",
    "t'2016'",
    "b'AAAA'",
    "b'A'",
    "h'ab'",
    "h'a'",
    "'x'",
    "'\\''",
    "'",
    '\\',
    '/*',
    '*/',
    '//',
  ],
  ...[
    ' ',
    '\n',
    '\u00a0',
    '\u200b',
    '\0',
    '"',
    'é',
    '\u{1f600}',
    '\ud800',
    '(?<n>',
    '[^]',
    '{3,1}',
    '\\\\Q',
    '(1, 2)',
    '()',
  ],
];
const tokens = /[tbh]?'(?:[^'\\]|\\.)*'|[A-Za-z_][\w-]*|[+-]?\d*\.?\d+|\s+|[=!<>]+|./gsu;

/**
 * Mutates known patterns and judges them, until a time of performance.now().
 * @returns how many were judged, and the first twenty that broke a property
 */
export function fuzzPatterns(options: { until: number; seed: number }): { runs: number; failures: FuzzFailure[] } {
  const random = createRandom(options.seed);
  const seeds = [...ownSeeds, ...readCorpus()];
  const failures: FuzzFailure[] = [];
  let runs = 0;
  for (; performance.now() < options.until && failures.length < failuresMax; runs += 1) {
    const input = mutate(seeds, random);
    const reason = findFailure(input, random);
    if (reason) failures.push({ input, reason });
  }
  return { runs, failures };
}

function readCorpus(): string[] {
  const files = ['patterns', 'patterns_real'].map(
    name => new URL(`../../../shared/corpus/${name}.jsonl`, import.meta.url),
  );
  const lines = files.filter(file => existsSync(file)).flatMap(file => readFileSync(file, 'utf8').trim().split('\n'));
  return lines.map(line => JSON.parse(line).pattern);
}

function findFailure(input: string, random: () => number): string | undefined {
  try {
    const [first, second] = [judge(input), judge(input)];
    if (first.codes !== second.codes) return 'was judged twice, and differently';
    // The lesser of two: other processes take their time too.
    const ms = Math.min(first.ms, second.ms);
    if (ms > timeLimitMs) return `took ${Math.round(ms)} ms of ${input.length} characters`;
    return first.codes === '' && input.length < 10_000 ? findInconsistency(input, random) : undefined;
  } catch (error) {
    return `threw ${error}`;
  }
}

/** @param accepted a pattern without problems */
function findInconsistency(accepted: string, random: () => number): string | undefined {
  const blank = pick([' ', '\n', '\u2003\t'], random);
  const variants = [`(${accepted})`, `((${accepted}))`, `${accepted} OR ${accepted}`, `${blank}${accepted}${blank}`];
  variants.push((accepted.match(tokens) ?? []).map(token => `${token}${pick(['', blank], random)}`).join(''));
  const refused = variants.find(variant => judge(variant).codes !== '');
  return refused && `was taken, but not ${refused}: ${judge(refused).codes}`;
}

function judge(pattern: string): { codes: string; ms: number } {
  const before = performance.now();
  const problems = judgePattern(pattern);
  return { codes: problems.map(({ code }) => code).join(), ms: performance.now() - before };
}

function mutate(seeds: string[], random: () => number): string {
  let parts: string[] = pick(seeds, random).match(tokens) ?? [];
  for (let changes = Math.floor(random() * 4); changes >= 0; changes -= 1) parts = change(parts, seeds, random);
  return parts.join('').slice(0, lengthMax);
}

function change(parts: string[], seeds: string[], random: () => number): string[] {
  const [at, other] = [random(), random()].map(share => Math.floor(share * (parts.length + 1))).sort((a, b) => a - b);
  const [before, middle, after] = [parts.slice(0, at), parts.slice(at, other), parts.slice(other)];
  const mutations: (() => string[])[] = [
    () => [...before, ...after],
    () => [...before, ...middle, ...middle, ...after],
    () => [...before, ...after, ...middle],
    () => [...before, ...middle.toReversed(), ...after],
    () => [...before, pick(pieces, random), ...middle, ...after],
    () => [...before, pick(pieces, random), ...middle.slice(1), ...after],
    () => [...before, ...(pick(seeds, random).match(tokens) ?? []).slice(other)],
    () => [...before, ...Array.from((middle[0] ?? '').slice(1)), ...middle.slice(1), ...after],
    // Rarely, since it takes long: as long as texts come.
    () => (random() < 0.9 ? parts : [...before, middle.join('').slice(0, 1000).repeat(1000), ...after]),
  ];
  return pick(mutations, random)();
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}

// A linear congruential generator: a run can be repeated from its seed.
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
