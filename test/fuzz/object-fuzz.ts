import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { isRefused, type Policy, problemCatalogue } from '../../src/stix/catalogue.ts';
import { createValidator, type Judgement } from '../../src/stix/validate.ts';
import { domainSamples } from '../support/samples/domain-objects.ts';
import { bundleSamples, metaSamples, tlpSamples } from '../support/samples/meta-objects.ts';
import { observableSamples } from '../support/samples/observables.ts';

export interface FuzzFailure {
  /** JSON, made smaller as long as the reason stays the same */
  input: string;
  reason: string;
}

type Random = () => number;
type Container = Record<string, unknown> | unknown[];
/** A place in a value: what holds it, and its key or index there. */
type Slot = [container: Container, key: string];

const charactersMax = 1_000_000;
const bodyCharactersMax = 8_000_000;
const millisecondsMax = 1000;
// Enough to tell what is not linear, and few enough to wait for it: nothing can interrupt the judge.
const elementsMax = 20_000;
const failuresMax = 20;
const slotsMax = 2000;
const now = new Date('2026-06-01T12:00:00Z');
const validator = createValidator();
const corpusFiles = ['spec_examples', 'validator_cases', 'python_stix2_cases', 'real_objects', 'real_breakers'];

const hostileNames = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    'id',
    'a',
    'ab',
    'A',
    'x y',
    'é',
    '\ud800',
    '/',
  ],
  ...[
    'foo_ref',
    'foo_refs',
    'foo_hex',
    'foo_bin',
    'severity',
    'phone_number',
    'foo-ext',
    'MD5',
    'en',
    'extension_type',
  ],
  'a'.repeat(251),
];
const hostileValues: unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    -0,
    2 ** 53,
    1e308,
    '',
    ' ',
    '\0',
    '\ud800',
    '\u{1f600}',
    [],
    {},
    [[]],
    [null],
    [{}],
    { toString: [], valueOf: 1 },
  ],
  ...['2016-02-30T00:00:00Z', '2016-12-31T23:59:60.000Z', '9999-12-31T23:59:59.999999999Z', '0000-01-01T00:00:00.000Z'],
  ...[
    '2.0',
    '2.1',
    'bundle',
    'indicator',
    'x-foo',
    'new-sdo',
    'toplevel-property-extension',
    'tlp',
    'en-x-',
    'i-klingon',
  ],
  ...['name.[0]', 'objects', 'a..b', '[0]', 'AA==', 'A', '::1/129', '1.2.3.4/33', 'a@b', 'a:', 'cpe:2.3:a', '1:a:b'],
  ...['bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f', 'tool--8e2e2d2b-17d4-0cbf-938f-98ee46b3cd3f', 'a--', '--'],
  ...[
    "[a:b = '",
    "[file:name = 'a'] AND",
    '(',
    'a'.repeat(300),
    'a-'.repeat(5000),
    '%41'.repeat(5000),
    '"'.repeat(5000),
  ],
];

/**
 * Mutates known objects and judges them, until a time of performance.now().
 * @returns how many were judged, and the first twenty that broke a property
 */
export function fuzzObjects(options: { until: number; seed: number }): { runs: number; failures: FuzzFailure[] } {
  const random = createRandom(options.seed);
  const seeds = [
    ...domainSamples,
    ...observableSamples,
    ...metaSamples,
    ...tlpSamples,
    ...bundleSamples,
    ...readCorpus(),
  ];
  const failures: FuzzFailure[] = [];
  let runs = 0;
  for (; performance.now() < options.until && failures.length < failuresMax; runs += 1) {
    const mutated = mutate(seeds, random);
    if (!isSendable(mutated)) continue;
    // As it would come: a value that stands in several places is several values then.
    const input = JSON.parse(JSON.stringify(mutated));
    const reason = findFailure(input);
    if (reason) failures.push({ input: JSON.stringify(minimise(input, reason, options.until)), reason });
  }
  return { runs, failures };
}

/** Whether it is no longer than a body may be: lists that repeat lists grow beyond all bounds. */
function isSendable(root: unknown): boolean {
  let characters = 0;
  const rest: unknown[] = [root];
  while (rest.length > 0 && characters <= bodyCharactersMax) {
    const value = rest.pop();
    if (typeof value === 'string') characters += value.length;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      characters += key.length + 1;
      rest.push(child);
    }
  }
  return characters <= bodyCharactersMax;
}

// Beside the repository, where it is present.
function readCorpus(): unknown[] {
  return corpusFiles
    .map(name => new URL(`../../../shared/corpus/${name}.jsonl`, import.meta.url))
    .filter(file => existsSync(file))
    .flatMap(file => readFileSync(file, 'utf8').trim().split('\n'))
    .map(line => JSON.parse(line).object);
}

/** Which property of the judge a value breaks; of a duration, without its digits, so that reasons can be compared. */
function findFailure(input: unknown): string | undefined {
  try {
    const copy = structuredClone(input);
    const strict = judge(input, 'strict');
    const tolerant = judge(input, 'tolerant');
    if (!isDeepStrictEqual(input, copy)) return 'was changed';
    if (!isDeepStrictEqual(strict, judge(input, 'strict'))) return 'was judged twice, and differently';
    if (strict.valid && !tolerant.valid) return 'was refused by tolerant only';
    return findFault(strict, 'strict') ?? findFault(tolerant, 'tolerant') ?? findDelay(input);
  } catch (error) {
    return `threw ${error}`;
  }
}

function judge(value: unknown, policy: Policy): Judgement {
  const isBundle = typeof value === 'object' && value !== null && 'type' in value && value.type === 'bundle';
  return isBundle
    ? validator.judgeBundle(value as Record<string, unknown>, { policy, now })
    : validator.judge(value, { policy, now });
}

function findFault(judgement: Judgement, policy: Policy): string | undefined {
  const { valid, errors, warnings } = judgement;
  if (valid !== (errors.length === 0)) return `${policy} was ${valid}, with ${errors.length} errors`;
  if (errors.length > 100 || warnings.length > 100) return `${policy} gave more than 100 problems`;
  const unknown = [...errors, ...warnings].find(({ code }) => !Object.hasOwn(problemCatalogue, code));
  if (unknown) return `${policy} gave the code ${unknown.code}, which is in no catalogue`;
  if (!errors.every(({ code }) => isRefused(code, policy)) || warnings.some(({ code }) => isRefused(code, policy))) {
    return `${policy} mixed up errors and warnings`;
  }
  const text = JSON.stringify(judgement);
  if (!isDeepStrictEqual(JSON.parse(text).errors, errors) || /\\ud[89a-f]/.test(text)) return `${policy} gave no JSON`;
  return undefined;
}

function findDelay(input: unknown): string | undefined {
  if (JSON.stringify(input).length > charactersMax) return undefined;
  // The least of three: other processes take their time too.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const start = performance.now();
    judge(input, 'strict');
    if (performance.now() - start < millisecondsMax) return undefined;
  }
  return `took more than ${millisecondsMax} ms`;
}

function mutate(seeds: unknown[], random: Random): unknown {
  const value = structuredClone(pick(seeds, random));
  for (let changes = Math.floor(random() * 4); changes >= 0; changes -= 1) change(value, seeds, random);
  return value;
}

function change(root: unknown, seeds: unknown[], random: Random): void {
  const slots = slotsOf(root);
  if (slots.length === 0) return;
  const [container, key] = pick(slots, random);
  const value = valueAt([container, key]);
  const other = valueAt(pick(slotsOf(pick(seeds, random)), random));
  const otherKey = pick(slots, random)[1];
  const mutations: (() => void)[] = [
    () => remove([container, key]),
    () => put(container, key, pick(hostileValues, random)),
    () => put(container, key, structuredClone(other)),
    () => put(container, pick(hostileNames, random), value),
    () => put(container, otherKey, structuredClone(value)),
    () => {
      remove([container, key]);
      put(container, pick([...hostileNames, otherKey], random), value);
    },
    () => put(container, key, Array(Math.ceil(random() * 3)).fill(value)),
    () => put(container, key, nest(value, Math.ceil(random() * 40), random)),
    () => put(container, key, repeat(value, lengthOf(random))),
    () => put(container, key, repeat([pick(hostileValues, random)], lengthOf(random))),
  ];
  pick(mutations, random)();
}

/** The places in a value, breadth first: not all of a very large one. */
function slotsOf(root: unknown): Slot[] {
  const slots: Slot[] = [];
  const containers: unknown[] = [root];
  for (const container of containers) {
    if (typeof container !== 'object' || container === null || slots.length >= slotsMax) continue;
    for (const key of Object.keys(container).slice(0, slotsMax)) {
      slots.push([container as Container, key]);
      containers.push(valueAt([container as Container, key]));
    }
  }
  return slots;
}

function valueAt([container, key]: Slot): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
}

// As JSON.parse does it: __proto__ becomes a property of the object's own. In a list, a name is taken for the end.
function put(container: Container, key: string, value: unknown): void {
  const property = Array.isArray(container) && !/^\d+$/.test(key) ? String(container.length) : key;
  if (Array.isArray(container) && Number(property) > container.length) return;
  // A copy, or a value could come to stand in itself.
  Object.defineProperty(container, property, {
    value: structuredClone(value),
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function remove([container, key]: Slot): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete container[key];
}

function nest(value: unknown, levels: number, random: Random): unknown {
  let nested = structuredClone(value);
  for (let level = 0; level < levels; level += 1) nested = random() < 0.5 ? [nested] : { x_nested: nested };
  return nested;
}

// Rarely, since it takes long: as much as a body holds.
function lengthOf(random: Random): number {
  return random() < 0.9 ? 10 : charactersMax * random();
}

/** A list, or a text, that repeats the value, in about as many characters as is said. */
function repeat(value: unknown, characters: number): unknown {
  const count = Math.ceil(characters / (JSON.stringify(value).length + 1));
  if (typeof value === 'string') return value.repeat(count);
  return Array(Math.min(count, elementsMax)).fill(Array.isArray(value) && value.length > 0 ? value[0] : value);
}

/** Leaves out what is not needed for the reason: of each container the first half, then the rest, then single places. */
function minimise(input: unknown, reason: string, until: number): unknown {
  let smallest = input;
  for (let isSmaller = true; isSmaller && performance.now() < until; ) {
    isSmaller = false;
    for (const smaller of smallerThan(smallest)) {
      if (performance.now() >= until) break;
      if (findFailure(smaller) !== reason) continue;
      smallest = smaller;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function* smallerThan(value: unknown): Generator<unknown> {
  const slots = slotsOf(value);
  for (const [index, [container, key]] of slots.entries()) {
    const held = valueAt([container, key]);
    if (Array.isArray(held) && held.length > 1) yield withSlot(value, index, held.slice(0, held.length / 2));
    if (typeof held === 'string' && held.length > 1) yield withSlot(value, index, held.slice(0, held.length / 2));
    yield withSlot(value, index, undefined);
  }
}

/** A copy in which a place, told by its index among all, holds something else, or is left out. */
function withSlot(value: unknown, index: number, held: unknown): unknown {
  const copy = structuredClone(value);
  const slot = slotsOf(copy)[index] as Slot;
  if (held === undefined) remove(slot);
  else put(...slot, held);
  return copy;
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T;
}

// mulberry32: a run can be repeated from its seed.
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
