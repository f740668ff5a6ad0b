import { expect } from 'vitest';
import { type ProblemCode, problemCatalogue } from '../../src/stix/catalogue.ts';
import { createValidator, type Judgement, type Policy } from '../../src/stix/validate.ts';
import { domainSamples } from './samples/domain-objects.ts';
import { metaSamples, tlpSamples } from './samples/meta-objects.ts';
import { observableSamples } from './samples/observables.ts';

/** An object of STIX, right or wrong. */
export type Sample = Record<string, unknown>;
/** What JSON Pointers are made of: keys of objects, and indexes of lists. */
export type Path = (string | number)[];

export const validator = createValidator();
/** When the judging takes place, for `timestamp-in-future`. */
export const now = new Date('2026-06-01T12:00:00Z');
export const policies: Policy[] = ['strict', 'tolerant'];
export const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
/** The id of a marking that is none of TLP. */
export const marking = 'marking-definition--b4b5bb4a-8a2f-4f0d-9c57-1c5a0f1f4f8e';
/** The id of an extension definition. */
export const definition = 'extension-definition--6f1b9f0c-53f3-4b5c-8a89-0d5f9d3c4e21';
/** What every object with versions has besides its type and id. */
export const versioned = {
  spec_version: '2.1',
  created: '2024-03-01T08:00:00.000Z',
  modified: '2024-03-02T09:30:00.125Z',
};
export const tlp2Extension = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';
/** What an object holds under `definition`. */
export const ofDefinition = { extension_type: 'property-extension', berth: 4 };
/** Earlier than what the samples tell of. */
export const longAgo = '2000-01-01T00:00:00.000Z';

/** The markings of TLP 2.0. */
export const tlp2Samples: Sample[] = Object.entries({
  clear: '94868c89-83c2-464b-929b-a1a8aa3c8487',
  green: 'bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  amber: '55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'amber+strict': '939a9414-2ddd-4d32-a0cd-375ea402b003',
  red: 'e828b379-4e03-4974-9ac4-e53a884c97c1',
}).map(([level, id]) => ({
  type: 'marking-definition',
  spec_version: '2.1',
  id: `marking-definition--${id}`,
  created: '2022-10-01T00:00:00.000Z',
  name: `TLP:${level.toUpperCase()}`,
  extensions: { [tlp2Extension]: { extension_type: 'property-extension', tlp_2_0: level } },
}));

const moreSamples: Sample[] = [
  {
    type: 'indicator',
    id: 'indicator--352ba2f7-942f-4be8-93fa-cfd0e1f20315',
    ...versioned,
    external_references: [{ source_name: 'harbour-watch', url: 'https://watch.example.org/notes/18' }],
    granular_markings: [{ lang: 'de', selectors: ['pattern'] }],
    name: 'Forged orders',
    description: 'Where the orders come from.',
    indicator_types: ['malicious-activity'],
    pattern: "[domain-name:value = 'orders.example.com']",
    pattern_type: 'stix',
    pattern_version: '2.1',
    valid_from: '2024-03-01T08:00:00Z',
    valid_until: '2024-04-01T08:00:00Z',
    kill_chain_phases: [{ kill_chain_name: 'harbour-chain', phase_name: 'boarding' }],
  },
  {
    type: 'report',
    id: 'report--463ba2f7-942f-4be8-93fa-cfd0e1f20316',
    ...versioned,
    name: 'Low tide',
    description: 'What is known.',
    report_types: ['campaign'],
    published: '2024-03-01T08:00:00Z',
    object_refs: ['campaign--3b8d2a1f-5c4e-4f6a-9b7c-8d9e0f1a2b3c'],
  },
  {
    type: 'location',
    id: 'location--9be38a7f-1cae-4fc0-9bd2-4d5e6f7a8b9d',
    ...versioned,
    country: 'ie',
    latitude: 53.5,
    longitude: -9.25,
  },
  {
    type: 'marking-definition',
    spec_version: '2.1',
    id: marking,
    created: '2024-03-01T08:00:00.000Z',
    definition_type: 'statement',
    definition: { statement: 'Only for those who keep watch.' },
  },
  {
    type: 'marking-definition',
    spec_version: '2.1',
    id: marking,
    created: '2024-03-01T08:00:00.000Z',
    definition_type: 'harbour-rule',
    definition: { rule: 4 },
  },
  { type: 'x-harbour-ship', id: `x-harbour-ship--${uuid}`, ...versioned, name: 'Seagull', x_crew: { size: 7 } },
  { type: 'x-harbour-buoy', id: `x-harbour-buoy--${uuid}`, colour: 'red', x_lit: [true, 0.5] },
  {
    type: 'x-harbour-crane',
    id: `x-harbour-crane--${uuid}`,
    ...versioned,
    extensions: { [definition]: { extension_type: 'new-sdo' } },
  },
  {
    type: 'x-harbour-rope',
    id: `x-harbour-rope--${uuid}`,
    extensions: { [definition]: { extension_type: 'new-sco' } },
  },
];

/** The markings of TLP, old and new. */
export const canonical = [...tlpSamples, ...tlp2Samples];
// A TLP marking may not be changed at all, so that most changes of it break a second rule.
const tlpIds = new Set(canonical.map(({ id }) => id));
/** Valid objects of every type, of which nothing is to be said. The markings of TLP stand in `canonical`. */
export const samples = [...domainSamples, ...metaSamples, ...observableSamples, ...moreSamples]
  .filter(({ id }) => !tlpIds.has(id))
  // What is taken away from an object must not be what a selector needs.
  .map(sample => ({ ...sample, ...selecting(sample.granular_markings) }));

function selecting(markings: unknown): Sample {
  if (markings === undefined) return {};
  return { granular_markings: (markings as Sample[]).map(one => ({ ...one, selectors: ['granular_markings'] })) };
}

/** Judges one object as of `now`. */
export function judge(value: unknown, policy: Policy): Judgement {
  return validator.judge(value, { policy, now });
}

/** `error|warning code path` of all that is found. */
export function foundIn({ errors, warnings }: Pick<Judgement, 'errors' | 'warnings'>): string[] {
  return [
    ...errors.map(({ code, path }) => `error ${code} ${path}`),
    ...warnings.map(({ code, path }) => `warning ${code} ${path}`),
  ];
}

/** What `foundIn` says of one problem under a policy. */
export function expected(policy: Policy, code: ProblemCode, path: string): string {
  const { effect } = problemCatalogue[code];
  const isError = effect === 'refused' || (effect === 'tolerated' && policy === 'strict');
  return `${isError ? 'error' : 'warning'} ${code} ${path}`;
}

/** Where judging does not find exactly this one problem: what it should find, and what it found. */
export function deviations(value: unknown, code: ProblemCode, path: string): string[] {
  return policies.flatMap(policy => {
    const judgement = judge(value, policy);
    const found = foundIn(judgement);
    const wanted = expected(policy, code, path);
    const isRight = found.length === 1 && found[0] === wanted && judgement.valid === wanted.startsWith('warning');
    return isRight ? [] : [`${(value as Sample).type}, ${policy}: ${wanted}, not ${found.join(' and ') || 'nothing'}`];
  });
}

/** Expects that judging finds this one problem under both policies, and nothing else. */
export function expectOnly(value: unknown, code: ProblemCode, path: string): void {
  expect(deviations(value, code, path)).toEqual([]);
}

/** Expects that judging finds neither errors nor warnings, under both policies. */
export function expectNothing(value: unknown): void {
  for (const policy of policies) expect(foundIn(judge(value, policy))).toEqual([]);
}

/** The JSON Pointer of a path. */
export function pointer(path: Path): string {
  return path.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value at the end of a path, if there is one. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Sample | undefined)?.[key], root);
}

/** A copy with another value at the end of a path; `undefined` takes away what is there. */
export function withValue(root: Sample, path: Path, value: unknown): Sample {
  const copy = structuredClone(root);
  const parent = valueAt(copy, path.slice(0, -1)) as Sample;
  const key = path.at(-1) as string;
  if (value === undefined) delete parent[key];
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}
