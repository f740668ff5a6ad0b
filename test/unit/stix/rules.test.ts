import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProblemCode, problemCatalogue } from '../../../src/stix/catalogue.ts';
import { readSchemas } from '../../../src/stix/schemas.ts';
import { createValidator, describeProblems, type Judgement, type Policy } from '../../../src/stix/validate.ts';
import { domainSamples } from '../../support/samples/domain-objects.ts';
import { bundleSamples, metaSamples, tlpSamples } from '../../support/samples/meta-objects.ts';
import { observableSamples } from '../../support/samples/observables.ts';

type Sample = Record<string, unknown>;
/** What JSON Pointers are made of: keys of objects, and indexes of lists. */
type Path = (string | number)[];

const validator = createValidator();
const now = new Date('2026-06-01T12:00:00Z');
const policies: Policy[] = ['strict', 'tolerant'];
const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const marking = 'marking-definition--b4b5bb4a-8a2f-4f0d-9c57-1c5a0f1f4f8e';
const definition = 'extension-definition--6f1b9f0c-53f3-4b5c-8a89-0d5f9d3c4e21';
const versioned = { spec_version: '2.1', created: '2024-03-01T08:00:00.000Z', modified: '2024-03-02T09:30:00.125Z' };
const tlp2Extension = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';

const tlp2Samples: Sample[] = Object.entries({
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

// A TLP marking may not be changed at all, so that most changes of it break a second rule.
const tlpIds = new Set([...tlpSamples, ...tlp2Samples].map(({ id }) => id));
const canonical = [...tlpSamples, ...tlp2Samples];
const samples = [...domainSamples, ...metaSamples, ...observableSamples, ...moreSamples]
  .filter(({ id }) => !tlpIds.has(id))
  // What is taken away from an object must not be what a selector needs.
  .map(sample => ({ ...sample, ...selecting(sample.granular_markings) }));

function selecting(markings: unknown): Sample {
  if (markings === undefined) return {};
  return { granular_markings: (markings as Sample[]).map(one => ({ ...one, selectors: ['granular_markings'] })) };
}

function judge(value: unknown, policy: Policy): Judgement {
  return validator.judge(value, { policy, now });
}

/** `error|warning code path` of all that is found. */
function foundIn({ errors, warnings }: Pick<Judgement, 'errors' | 'warnings'>): string[] {
  return [
    ...errors.map(({ code, path }) => `error ${code} ${path}`),
    ...warnings.map(({ code, path }) => `warning ${code} ${path}`),
  ];
}

function expected(policy: Policy, code: ProblemCode, path: string): string {
  const { effect } = problemCatalogue[code];
  const isError = effect === 'refused' || (effect === 'tolerated' && policy === 'strict');
  return `${isError ? 'error' : 'warning'} ${code} ${path}`;
}

/** Where judging does not find exactly this one problem: what it should find, and what it found. */
function deviations(value: unknown, code: ProblemCode, path: string): string[] {
  return policies.flatMap(policy => {
    const judgement = judge(value, policy);
    const found = foundIn(judgement);
    const wanted = expected(policy, code, path);
    const isRight = found.length === 1 && found[0] === wanted && judgement.valid === wanted.startsWith('warning');
    return isRight ? [] : [`${(value as Sample).type}, ${policy}: ${wanted}, not ${found.join(' and ') || 'nothing'}`];
  });
}

function expectOnly(value: unknown, code: ProblemCode, path: string): void {
  expect(deviations(value, code, path)).toEqual([]);
}

function expectNothing(value: unknown): void {
  for (const policy of policies) expect(foundIn(judge(value, policy))).toEqual([]);
}

function pointer(path: Path): string {
  return path.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Sample | undefined)?.[key], root);
}

/** A copy with another value at the end of a path; `undefined` takes away what is there. */
function withValue(root: Sample, path: Path, value: unknown): Sample {
  const copy = structuredClone(root);
  const parent = valueAt(copy, path.slice(0, -1)) as Sample;
  const key = path.at(-1) as string;
  if (value === undefined) delete parent[key];
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

it.each([...samples, ...canonical])('$type $id is valid by both policies, and nothing is to be said of it', sample => {
  expectNothing(sample);
});

it('the samples as they are written are valid too', () => {
  for (const sample of [...domainSamples, ...metaSamples, ...observableSamples]) expectNothing(sample);
});

/** Breaks one rule: the object that does, and where. Undefined where the sample has nothing to break it with. */
type Mutation = (sample: Sample) => { object: unknown; path: string } | undefined;

/** Gives a property of the sample another value. */
function replace(path: Path, change: unknown): Mutation {
  return sample => {
    const old = valueAt(sample, path);
    if (old === undefined) return undefined;
    const value = typeof change === 'function' ? change(old, sample) : change;
    return value === undefined ? undefined : { object: withValue(sample, path, value), path: pointer(path) };
  };
}

/** Gives the sample a property that it has not. */
function add(path: Path, value: unknown): Mutation {
  return sample => {
    const parent = valueAt(sample, path.slice(0, -1)) as Sample | undefined;
    if (parent === undefined || Object.hasOwn(parent, path.at(-1) as string)) return undefined;
    return { object: withValue(sample, path, value), path: pointer(path) };
  };
}

function remove(path: Path): Mutation {
  return sample =>
    valueAt(sample, path) === undefined
      ? undefined
      : { object: withValue(sample, path, undefined), path: pointer(path) };
}

/** Only for samples of one type. */
function of(type: string, mutation: Mutation): Mutation {
  return sample => (sample.type === type ? mutation(sample) : undefined);
}

function notOf(type: string, mutation: Mutation): Mutation {
  return sample => (sample.type === type ? undefined : mutation(sample));
}

/** Leaves of the sample only what every object of its kind has, and gives it other properties. */
function reduce(type: string, properties: Sample, path: string): Mutation {
  return sample => {
    if (sample.type !== type) return undefined;
    const { id, spec_version, created, modified } = sample;
    const object = { type, id, spec_version, created, modified, ...properties };
    return { object: JSON.parse(JSON.stringify(object)), path };
  };
}

/** For a mutation whose problem is found further down. */
function below(suffix: string, mutation: Mutation): Mutation {
  return sample => {
    const result = mutation(sample);
    return result && { ...result, path: result.path + suffix };
  };
}

/** Only for samples that have something. */
function where(holds: (sample: Sample) => unknown, mutation: Mutation): Mutation {
  return sample => (holds(sample) ? mutation(sample) : undefined);
}

const domain = { type: 'domain-name', value: 'orders.example.com' };
const mutex = { type: 'mutex', name: 'order-printer' };
const ofDefinition = { extension_type: 'property-extension', berth: 4 };
const longAgo = '2000-01-01T00:00:00.000Z';
const withUuid = (rest: string) => (id: string) => `${id.slice(0, id.indexOf('--'))}--${rest}`;
const ofAnyDefanged = (type: string, value: string): Mutation =>
  where(sample => sample.type === type && sample.defanged !== true, replace(['value'], value));

/** For every rule, what breaks it and no other one. */
const mutations: Partial<Record<ProblemCode, Mutation[]>> = {
  'binary-invalid': [
    replace(['payload_bin'], 'YQ'),
    replace(['payload_bin'], 'Y*==YQ=='),
    replace(['payload_bin'], 'YQ==YQ=='),
    replace(['payload_bin'], 'Y==='),
    add(['x_own_bin'], 'YWI_'),
    add(['x_own_bin'], 'YWI'),
  ],
  'bundle-in-envelope': [sample => ({ object: { ...sample, type: 'bundle' }, path: '/type' })],
  'character-set-unknown': [
    replace(['path_enc'], 'cp1252'),
    replace(['name_enc'], 'latin1'),
    replace(['name_enc'], 'UTF-\u212a'),
  ],
  'container-member': [replace(['objects', '0', 'type'], 'identity'), replace(['objects', '0', 'type'], 'bundle')],
  'container-reference': [
    replace(['objects', '0', 'resolves_to_refs', 0], '7'),
    replace(['objects', '0', 'resolves_to_refs', 0], 'toString'),
    replace(['objects', '0', 'resolves_to_refs', 0], 'ipv4-addr--00f9d910-8d7b-53ca-abee-e556984ba08a'),
  ],
  'cpe-invalid': [replace(['cpe'], 'cpe:/a:example:tool:1.0'), replace(['cpe'], 'cpe:2.3:a:example:tool:1.0')],
  'deterministic-id': [
    of('process', replace(['id'], 'process--28bb3599-77cd-5a82-a950-b5bc3caf07c4')),
    of('user-account', reduce('user-account', { credential: 'hush' }, '/id')),
    of('windows-registry-key', reduce('windows-registry-key', { number_of_subkeys: 3 }, '/id')),
    of('x509-certificate', reduce('x509-certificate', { version: '3' }, '/id')),
    of('email-message', reduce('email-message', { is_multipart: false, content_type: 'text/plain' }, '/id')),
  ],
  'dictionary-empty': [add(['x_own'], {}), replace(['contents', 'de'], {}), replace(['ipfix'], {})],
  'dictionary-key-invalid': [
    sample => ({ object: { ...sample, x_own: { 'a b': 1 } }, path: '/x_own/a b' }),
    sample => ({ object: { ...sample, x_own: { 'a/b~c': 1 } }, path: '/x_own/a~1b~0c' }),
    sample => ({ object: { ...sample, x_own: [{ ä: 1 }] }, path: '/x_own/0/ä' }),
    sample => ({ object: { ...sample, x_own: { ['a'.repeat(251)]: 1 } }, path: `/x_own/${'a'.repeat(243)}…` }),
  ],
  'domain-name-invalid': [
    ofAnyDefanged('domain-name', 'orders..example.com'),
    ofAnyDefanged('domain-name', 'https://orders.example.com'),
    ofAnyDefanged('domain-name', 'orders[.]example.com'),
    ofAnyDefanged('domain-name', `${'a'.repeat(64)}.example.com`),
    ofAnyDefanged('domain-name', '-a.example.com'),
    ofAnyDefanged('domain-name', ''),
  ],
  'email-address-invalid': [
    ofAnyDefanged('email-addr', 'A. Keel <keel@example.org>'),
    ofAnyDefanged('email-addr', 'keel'),
    ofAnyDefanged('email-addr', 'keel@mast@example.org'),
    ofAnyDefanged('email-addr', 'keel@'),
  ],
  'external-id-invalid': [
    of('attack-pattern', replace(['external_references', 0, 'external_id'], '9999')),
    of('vulnerability', replace(['external_references', 0, 'external_id'], 'CVE-99-1')),
  ],
  'external-id-source': [
    of('attack-pattern', replace(['external_references', 0, 'source_name'], 'mitre')),
    of('vulnerability', replace(['external_references', 0, 'source_name'], 'CVE')),
  ],
  'extension-name-invalid': [
    add(['extensions', 'berth'], { number: 4 }),
    add(['extensions', 'Berth-ext'], { number: 4 }),
    add(['extensions', `extension-definition--${uuid.replace('-4', '-0')}`], ofDefinition),
  ],
  'extension-type-missing': [
    below('/extension_type', replace(['extensions', definition], { berth: 4 })),
    below('/extension_type', add(['extensions', `extension-definition--${uuid}`], { berth: 4 })),
  ],
  'external-reference-incomplete': [replace(['external_references', 0], { source_name: 'harbour-watch' })],
  'granular-marking-choice': [
    replace(['granular_markings', 0], { selectors: ['granular_markings'] }),
    replace(['granular_markings', 0], { lang: 'en', marking_ref: tlpSamples[0]?.id, selectors: ['granular_markings'] }),
  ],
  'hash-name-invalid': [
    add(['hashes', 'SHA 256'], 'aa'),
    add(['hashes', 'ab'], 'aa'),
    add(['external_references', 0, 'hashes', 'SHA:1'], 'aa'),
    add(['extensions', 'ntfs-ext', 'alternate_data_streams', 0, 'hashes', 'ab'], 'aa'),
  ],
  'hash-value-invalid': [
    ...['MD5', 'SHA-1', 'SHA-256', 'SHA-512', 'SHA3-256', 'SHA3-512', 'SSDEEP', 'TLSH'].flatMap(name => [
      replace(['hashes', name], (old: string) => `${old} `),
      replace(['hashes', name], 'none'),
    ]),
    replace(['external_references', 0, 'hashes', 'SHA-256'], 'aa'),
  ],
  'header-value-invalid': [
    replace(['additional_header_fields', 'X-Mailer'], 'a text'),
    replace(['extensions', 'http-request-ext', 'request_header', 'Host'], 'login.example.org'),
  ],
  'hexadecimal-invalid': [
    replace(['magic_number_hex'], '4d5'),
    replace(['magic_number_hex'], '4dxy'),
    replace(['extensions', 'tcp-ext', 'src_flags_hex'], '0x12'),
    replace(['extensions', 'icmp-ext', 'icmp_type_hex'], '8'),
    add(['x_own_hex'], 'zz'),
    add(['x_own_hex'], 'abc'),
  ],
  'hexadecimal-upper-case': [
    replace(['magic_number_hex'], '4D5A'),
    replace(['extensions', 'windows-pebinary-ext', 'optional_header', 'magic_hex'], '020B'),
  ],
  'id-type-mismatch': [
    replace(['id'], `x-other--${uuid}`),
    replace(['id'], (id: string) => `x-${id}`),
    replace(['id'], (id: string, { type }: Sample) => id.replace(`${type}`, `${type}-`)),
  ],
  'identifier-invalid': [
    replace(['id'], 'harbour'),
    replace(['id'], (id: string) => id.toUpperCase()),
    replace(['id'], (id: string) => `${id} `),
    replace(['id'], (id: string) => id.replace('--', '-')),
    replace(['object_marking_refs', 0], 'TLP:RED'),
  ],
  'ip-address-invalid': [
    ...['192.0.2', '192.0.2.256', '192.0.2.017', '192.0.2.1/33', '192.0.2.1:80', '2001:db8::17', ''].map(value =>
      ofAnyDefanged('ipv4-addr', value),
    ),
    ...['2001:db8:::17', '2001:db8::17::1', '::1/129', 'fe80::1%eth0', '1:2:3:4:5:6:7:8:9', '192.0.2.17', ''].map(
      value => ofAnyDefanged('ipv6-addr', value),
    ),
  ],
  'language-tag-invalid': [
    replace(['lang'], 'e'),
    replace(['lang'], 'en_US'),
    replace(['granular_markings', 0, 'lang'], 'en-'),
    add(['contents', 'en_US'], { name: 'Low tide' }),
  ],
  'language-unknown': [
    replace(['lang'], 'foo-QQ'),
    replace(['granular_markings', 0, 'lang'], 'en-QB'),
    add(['contents', 'xx'], { name: 'Low tide' }),
    replace(['languages', 0], 'xx'),
    replace(['languages', 0], 'German'),
  ],
  'list-empty': [
    add(['x_own'], []),
    replace(['granular_markings'], []),
    replace(['granular_markings', 0, 'selectors'], []),
    replace(['objects', '0', 'resolves_to_refs'], []),
  ],
  'location-incomplete': [reduce('location', { name: 'Somewhere' }, ''), reduce('location', { city: 'Wharfton' }, '')],
  'mac-address-invalid': [
    ...['02-00-5e-10-00-01', '2:0:5e:10:0:1', '02005e100001', '02:00:5e:10:00:01:00:01', '02:00:5e:10:00:0G'].map(
      value => ofAnyDefanged('mac-addr', value),
    ),
  ],
  'mac-address-upper-case': [ofAnyDefanged('mac-addr', '02:00:5E:10:00:01')],
  'marking-self-reference': [
    of(
      'marking-definition',
      replace(['object_marking_refs', 0], (_: string, { id }: Sample) => id),
    ),
    of(
      'marking-definition',
      replace(['granular_markings', 0, 'marking_ref'], (_: string, { id }: Sample) => id),
    ),
  ],
  'media-type-unknown': [replace(['mime_type'], 'application/x-no-such-thing'), replace(['mime_type'], 'pdf')],
  'modified-missing': [remove(['modified'])],
  'modified-order': [
    replace(['modified'], longAgo),
    replace(['modified'], (_: string, { created }: Sample) =>
      `${created}`.replace('08:00:00.000Z', '07:59:59.9999999999Z'),
    ),
  ],
  'null-value': [
    add(['x_own'], null),
    replace(['created_by_ref'], null),
    replace(['id'], null),
    replace(['extensions', definition], null),
    below('/0', add(['x_own'], [null])),
  ],
  'number-out-of-range': [add(['x_own'], 2 ** 53), add(['x_own'], -(2 ** 53)), add(['x_own'], 1e300)],
  'object-expected': [
    sample => ({ object: [sample], path: '' }),
    sample => ({ object: JSON.stringify(sample), path: '' }),
  ],
  'object-too-large': [of('mutex', sample => ({ object: { ...sample, x_own: Array(250_001).fill(1) }, path: '' }))],
  'property-choice': [
    reduce('artifact', { mime_type: 'application/zip', hashes: { 'x-own': 'a' } }, ''),
    reduce('file', { size: 3 }, ''),
    reduce('malware-analysis', { product: 'tide-gauge' }, ''),
    reduce('network-traffic', { protocols: ['tcp'] }, ''),
    reduce('observed-data', { first_observed: longAgo, last_observed: longAgo, number_observed: 1 }, ''),
    reduce('process', {}, ''),
    reduce(
      'email-message',
      { is_multipart: true, subject: 'a', body_multipart: [{ content_type: 'a/b' }] },
      '/body_multipart/0',
    ),
    reduce('windows-registry-key', { key: 'HKEY_USERS\\a', values: [{ x_own: 1 }] }, '/values/0'),
    reduce('x509-certificate', { serial_number: '1', x509_v3_extensions: { x_own: 1 } }, '/x509_v3_extensions'),
    ...['ntfs-ext', 'pdf-ext', 'raster-image-ext'].map(name =>
      reduce('file', { name: 'a', extensions: { [name]: { x_own: 1 } } }, `/extensions/${name}`),
    ),
    reduce(
      'file',
      { name: 'a', extensions: { 'windows-pebinary-ext': { pe_type: 'exe' } } },
      '/extensions/windows-pebinary-ext',
    ),
    replace(['extensions', 'windows-pebinary-ext', 'optional_header'], { x_own: 1 }),
    replace(['extensions', 'tcp-ext'], { x_own: 1 }),
    replace(['extensions', 'windows-process-ext'], { x_own: 1 }),
    replace(['extensions', 'windows-service-ext'], { x_own: 1 }),
    replace(['extensions', 'unix-account-ext'], { x_own: 1 }),
  ],
  'property-conflict': [
    of(
      'artifact',
      where(({ url }) => url, add(['payload_bin'], 'YQ==')),
    ),
    where(({ is_multipart }) => is_multipart === true, add(['body'], 'a')),
    where(({ is_multipart }) => is_multipart === false, add(['body_multipart'], [{ body: 'a' }])),
    where(({ is_active }) => is_active, add(['end'], '2024-11-12T13:22:04Z')),
    of(
      'observed-data',
      where(({ object_refs }) => object_refs, add(['objects'], { '0': { type: 'url', value: 'a:b' } })),
    ),
    of('extension-definition', sample => ({
      object: { ...sample, extension_types: ['property-extension'] },
      path: '/extension_properties',
    })),
  ],
  'property-dependent': [
    where(
      ({ decryption_key }) => decryption_key,
      sample => ({ object: withValue(sample, ['encryption_algorithm'], undefined), path: '/decryption_key' }),
    ),
  ],
  'property-missing': [
    remove(['id']),
    notOf('marking-definition', remove(['type'])),
    of('malware', remove(['name'])),
    of(
      'location',
      where(({ country, precision }) => country && !precision, remove(['longitude'])),
    ),
    of(
      'artifact',
      where(
        ({ url }) => url,
        sample => remove(['hashes'])({ ...sample, id: `artifact--${uuid}` }),
      ),
    ),
    reduce('file', { hashes: { MD5: 'a'.repeat(32) }, name_enc: 'utf-8' }, '/name'),
    below('/source_name', add(['external_references', 1], { url: 'https://watch.example.org' })),
  ],
  'property-name-invalid': ['ab', 'X_own', 'x-own', '_own', '1own', 'own_ä', '', 'a'.repeat(251)].map(name =>
    name.length > 250
      ? sample => ({ object: { ...sample, [name]: 1 }, path: `/${name.slice(0, 249)}…` })
      : add([name], 1),
  ),
  'property-not-applicable': [
    where(({ modified }) => modified, add(['defanged'], false)),
    of('marking-definition', add(['lang'], 'en')),
  ],
  'property-reserved': ['severity', 'username', 'phone_number', 'action'].map(name => add([name], 1)),
  'proto-property': [add(['__proto__'], 1), add(['__proto__'], { created: '1' })],
  'reference-invalid': [
    add(['x_own_ref'], 'harbour'),
    add(['x_own_ref'], 17),
    add(['x_own_refs'], 'harbour'),
    sample => ({ object: { ...sample, x_own_refs: [`tool--${uuid}`, 'harbour'] }, path: '/x_own_refs/1' }),
  ],
  'reference-type': [
    replace(['created_by_ref'], `tool--${uuid}`),
    replace(['object_marking_refs', 0], `identity--${uuid}`),
    of('observed-data', replace(['object_refs'], [`relationship--${uuid}`])),
    below('/0/resolves_to_refs/0', replace(['objects'], { '0': { ...domain, resolves_to_refs: ['1'] }, '1': mutex })),
  ],
  'registry-hive-abbreviated': ['HKLM\\Software', 'hkcu\\Software', 'HKCR'].map(key => replace(['key'], key)),
  'relationship-type-invalid': ['Uses', 'used_by', 'used by'].map(name => replace(['relationship_type'], name)),
  'selector-invalid': ['granular_markings[0]', '[0]', '', 'a..b', '.a', 'a b', 'a.[-1]', 'a.[x]', '$.id'].map(
    selector => replace(['granular_markings', 0, 'selectors', 0], selector),
  ),
  'selector-unresolved': ['x_nothing', 'granular_markings.[9]', 'id.[0]', 'granular_markings.length', 'toString'].map(
    selector => replace(['granular_markings', 0, 'selectors', 0], selector),
  ),
  'sighting-of-observable': [replace(['sighting_of_ref'], 'url--28bb3599-77cd-5a82-a950-b5bc3caf07c4')],
  'spec-version-unsupported': ['2.0', '2.2', 2.1].map(version => replace(['spec_version'], version)),
  'stop-time-order': [of('relationship', replace(['stop_time'], longAgo))],
  'surrogate-unpaired': [
    add(['x_own'], 'a\ud800'),
    add(['x_own'], '\udc00\ud800'),
    sample => ({ object: { ...sample, x_own: { '\udfff': 1 } }, path: '/x_own/\ufffd' }),
  ],
  'timestamp-in-future': [replace(['modified'], '2026-06-01T12:01:00.001Z')],
  'timestamp-invalid': [
    '2024-02-30T00:00:00.000Z',
    '2024-03-01 08:00:00.000Z',
    '2024-03-01T08:00:00.000+00:00',
    '',
  ].map(value => replace(['created'], value)),
  'timestamp-order': [
    replace(['last_seen'], longAgo),
    replace(['last_observed'], longAgo),
    of('network-traffic', replace(['end'], longAgo)),
  ],
  'timestamp-too-coarse': ['2026-05-01T00:00:00Z', '2026-05-01T00:00:00.12Z'].map(value =>
    replace(['modified'], value),
  ),
  'timestamp-too-fine': [
    replace(['extensions', 'windows-pebinary-ext', 'time_date_stamp'], '2024-03-04T05:06:07.001Z'),
  ],
  'tlp-changed': [
    of('marking-definition', sample => ({
      object: { ...sample, id: tlpSamples[0]?.id, definition_type: 'tlp', definition: { tlp: 'red' } },
      path: '/id',
    })),
  ],
  'tlp-id-reused': [
    of('marking-definition', sample => ({ object: { ...sample, id: tlpSamples[0]?.id }, path: '/id' })),
  ],
  'tlp-not-canonical': [
    of('marking-definition', sample => ({
      object: { ...sample, definition_type: 'tlp', definition: { tlp: 'red' } },
      path: '/id',
    })),
  ],
  'type-name-invalid': ['Tool', 'to_ol', 'x--foo', '3com', 'ab', 'a'.repeat(251), ''].map(type =>
    notOf('marking-definition', replace(['type'], type)),
  ),
  'url-invalid': [
    ...['www.example.com', 'https://a.example/ b', 'https://a.example/–', 'https://a.example/%4', ''].flatMap(url => [
      replace(['external_references', 0, 'url'], url),
      of('artifact', replace(['url'], url)),
      ofAnyDefanged('url', url),
    ]),
  ],
  'uuid-invalid': [
    replace(['id'], withUuid('8e2e2d2b-17d4-0cbf-938f-98ee46b3cd3f')),
    replace(['id'], withUuid('8e2e2d2b-17d4-9cbf-938f-98ee46b3cd3f')),
    replace(['id'], withUuid('8e2e2d2b-17d4-4cbf-c38f-98ee46b3cd3f')),
    replace(['created_by_ref'], 'identity--22222222-2222-2222-2222-222222222222'),
    replace(['object_marking_refs', 0], 'marking-definition--00000000-0000-0000-0000-000000000000'),
  ],
  'valid-until-order': [replace(['valid_until'], longAgo), replace(['valid_until'], '2024-03-01T08:00:00.0Z')],
  'value-not-allowed': [
    replace(['extensions', definition, 'extension_type'], 'new-kind'),
    replace(['opinion'], 'Agree'),
    replace(['encryption_algorithm'], 'AES'),
  ],
  'value-out-of-range': [replace(['confidence'], 101), replace(['confidence'], -1), replace(['latitude'], 90.5)],
  'value-type': [
    replace(['object_marking_refs'], marking),
    replace(['labels', 0], 17),
    replace(['extensions'], 'none'),
    replace(['confidence'], 70.5),
    replace(['created'], 17),
    notOf('marking-definition', replace(['type'], 17)),
    add(['hashes', 'x_own'], 17),
  ],
};

/** For every rule of patterns, one that breaks it and no other one. */
const brokenPatterns: Partial<Record<ProblemCode, string[]>> = {
  'pattern-grammar-only': ["[file:name == 'a']", '[file:size = +1]'],
  'pattern-hash-value': ["[file:hashes.MD5 = 'abc']"],
  'pattern-name-form': ["[x_harbour:name = 'a']"],
  'pattern-name-length': ["[ab:name = 'a']"],
  'pattern-number-range': ['[file:size = 9007199254740993]'],
  'pattern-object-types': ["[file:name = 'a' AND url:value = 'b']"],
  'pattern-octets': ["[file:magic_number_hex = h'abc']"],
  'pattern-qualifier-repeated': ["[file:name = 'a'] REPEATS 2 TIMES REPEATS 3 TIMES"],
  'pattern-qualifier-value': ["[file:name = 'a'] REPEATS 0 TIMES"],
  'pattern-regex': ["[file:name MATCHES '(']"],
  'pattern-set-types': ["[file:name IN ('a', 1)]"],
  'pattern-stop-order': ["[file:name = 'a'] START t'2024-01-02T00:00:00Z' STOP t'2024-01-01T00:00:00Z'"],
  'pattern-subset-operand': [
    "[ipv4-addr:value ISSUBSET 'harbour']",
    "[ipv4-addr:value ISSUBSET '2001:db8::1']",
    "[file:name ISSUPERSET '198.51.100.1']",
  ],
  'pattern-syntax': ['file:name = 1', ''],
  'pattern-timestamp': ["[file:ctime = t'2024-02-30T00:00:00Z']"],
};
for (const [code, patterns] of Object.entries(brokenPatterns)) {
  mutations[code as ProblemCode] = patterns.map(pattern => replace(['pattern'], pattern));
}
mutations['sigma-invalid'] = [
  where(
    ({ pattern }) => pattern,
    sample => ({ object: { ...sample, pattern_type: 'sigma', pattern: 'no rule' }, path: '/pattern' }),
  ),
];

/** What `judge` does not say: of JSON, of its nesting, and of several objects together. */
const saidElsewhere: ProblemCode[] = ['json-invalid', 'name-repeated', 'object-nested-too-deep', 'version-conflict'];

describe('every rule', () => {
  it('is in the table, or said elsewhere', () => {
    const codes = Object.keys(problemCatalogue);
    expect([...Object.keys(mutations), ...saidElsewhere].sort()).toEqual(codes.sort());
  });

  it.each(Object.entries(mutations))('%s: what breaks it breaks no other, in any sample', (code, ofCode) => {
    const applied = ofCode.map(mutation => samples.flatMap(sample => mutation(sample) ?? []));
    expect(applied.flatMap((results, index) => (results.length > 0 ? [] : index))).toEqual([]);
    const all = applied.flat();
    expect(all.flatMap(({ object, path }) => deviations(object, code as ProblemCode, path))).toEqual([]);
  });
});

interface Schema {
  $ref?: string;
  title?: string;
  type?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  minProperties?: number;
  pattern?: string;
  required?: string[];
  properties?: Record<string, Schema | true>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  $defs?: Record<string, Schema>;
  then?: Schema;
  if?: Schema;
  else?: Schema;
  not?: Schema;
}

/** A schema, and the document that its references start from. */
interface Described {
  schema: Schema;
  document: Schema;
}

/** A value in a sample, and all that the schemas say of it. */
interface Place {
  path: Path;
  value: unknown;
  described: Described[];
}

const documents = readSchemas() as Map<string, Schema>;
const common = documents.get('common') as Schema;
const conditions = new Ajv2020({ strict: false });

/** All the schemas that a schema makes of itself for a value: what it refers to, and what its conditions lead to. */
function allOf({ schema, document }: Described, value: unknown): Described[] {
  const parts: Described[] = (schema.allOf ?? []).map(part => ({ schema: part, document }));
  if (schema.$ref) parts.unshift(referred(schema.$ref, document));
  const branch = schema.if && (conditions.validate(schema.if, value) ? schema.then : schema.else);
  if (branch) parts.push({ schema: branch, document });
  return [{ schema, document }, ...parts.flatMap(part => allOf(part, value))];
}

function referred(reference: string, document: Schema): Described {
  const target = reference.startsWith('#') ? document : common;
  return { schema: target.$defs?.[reference.split('/').at(-1) as string] as Schema, document: target };
}

function childOf({ schema, document }: Described, key: string | number): Described[] {
  const { properties = {}, patternProperties = {}, additionalProperties, items } = schema;
  const named = Object.entries(patternProperties).filter(([pattern]) => new RegExp(pattern).test(`${key}`));
  const found = [properties[key], ...named.map(([, part]) => part)].filter(part => part !== undefined);
  const rest = typeof key === 'number' ? items : found.length === 0 ? additionalProperties : undefined;
  return [...found, rest].flatMap(part => (typeof part === 'object' ? { schema: part, document } : []));
}

/** Every value of a sample that a schema describes. */
function placesOf(sample: Sample): Place[] {
  const type = sample.type as string;
  const isDated = sample.modified !== undefined;
  const schema = documents.get(type) ?? (common.$defs?.[isDated ? 'versioned-object' : 'observable'] as Schema);
  const document = documents.has(type) ? schema : common;
  const places: Place[] = [{ path: [], value: sample, described: allOf({ schema, document }, sample) }];
  for (const { path, value, described } of places) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, child] of Object.entries(value)) {
      const key = Array.isArray(value) ? Number(name) : name;
      const parts = described.flatMap(part => childOf(part, key)).flatMap(part => allOf(part, child));
      if (parts.length > 0) places.push({ path: [...path, key], value: child, described: parts });
    }
  }
  return places;
}

interface Change {
  object: Sample;
  code: ProblemCode;
  path: string;
}

/** The changes that the schemas say are wrong, at each place of a sample. */
function wrongChanges(sample: Sample): Change[] {
  const places = placesOf(sample).filter(place => !isElsewhere(sample, pointer(place.path)));
  return places.flatMap(place => {
    const schemas = place.described.map(({ schema }) => schema);
    const missing = schemas.flatMap(({ required = [] }) => required).filter(name => name !== 'type');
    const values = place.path.length === 0 ? [] : wrongValues(place.value, schemas);
    return [
      ...missing.map(name => withoutProperty(sample, [...place.path, name])),
      ...values.map(([code, value]) => ({
        object: withValue(sample, place.path, value),
        code,
        path: pointer(place.path),
      })),
    ];
  });
}

// What others depend on: the table above says what happens without a right one.
function isElsewhere({ type, defanged }: Sample, path: string): boolean {
  if (path === '/type' || path === '/objects/1/type') return true;
  if (path === '/defanged') return defanged === true;
  return type === 'extension-definition' && (path === '/extension_types' || path === '/extension_types/1');
}

const codeWithout: Record<string, ProblemCode> = {
  extension_type: 'extension-type-missing',
  modified: 'modified-missing',
  spec_version: 'spec-version-unsupported',
};

function withoutProperty(sample: Sample, path: Path): Change {
  // What is left must not be empty, which is wrong too.
  const other = path.length > 1 ? withValue(sample, [...path.slice(0, -1), 'x_left'], 1) : sample;
  const code = codeWithout[path.at(-1) as string] ?? 'property-missing';
  return { object: withValue(other, path, undefined), code, path: pointer(path) };
}

function wrongValues(value: unknown, schemas: Schema[]): [ProblemCode, unknown][] {
  const wrong = [...wrongTypes(schemas), ...schemas.flatMap(({ title }) => wrongForms(title, `${value}`))];
  for (const { enum: allowed, minItems, minProperties, minimum, maximum } of schemas) {
    if (allowed) wrong.push(['value-not-allowed', 'no-such-value']);
    if (minItems) wrong.push(['list-empty', []]);
    if (minProperties && !demands(schemas)) wrong.push(['dictionary-empty', {}]);
    if (minimum !== undefined) wrong.push(['value-out-of-range', minimum - 1]);
    if (maximum !== undefined) wrong.push(['value-out-of-range', maximum + 1]);
  }
  for (const reference of wrongReferences(schemas)) wrong.push(['reference-type', reference]);
  return wrong;
}

const ofEachType: Record<string, unknown> = {
  array: ['text'],
  boolean: true,
  integer: 17,
  number: 17.5,
  object: { x_own: 1 },
  string: 'text',
};

/** Values of types that no schema of the place allows. */
function wrongTypes(schemas: Schema[]): [ProblemCode, unknown][] {
  const allowed = new Set(schemas.flatMap(({ type }) => type ?? []));
  if (allowed.size === 0) return [];
  if (allowed.has('number')) allowed.add('integer');
  // Values of ipfix and exif_tags are texts or whole numbers.
  if (schemas.some(schema => schema.if?.type === 'number')) allowed.add('integer').add('string');
  const isHeader = schemas.some(schema => schema.then?.title === 'header values');
  return Object.entries(ofEachType)
    .filter(([type]) => !allowed.has(type))
    .map(([type, value]) => [isHeader && type === 'string' ? 'header-value-invalid' : 'value-type', value]);
}

/** Whether an empty object breaks more rules than that it is empty. */
function demands(schemas: Schema[]): boolean {
  return schemas.some(({ required, anyOf, oneOf }) => required?.length || anyOf || oneOf);
}

/** Texts that have not the form that the title of a schema names. */
function wrongForms(title: string | undefined, old: string): [ProblemCode, string][] {
  switch (title) {
    case 'identifier':
      return [
        ['identifier-invalid', 'harbour'],
        // The first digit of the third group is the version.
        ['uuid-invalid', old.replace(/(--.{14})./, '$10')],
      ];
    case 'timestamp':
      return [
        ['timestamp-invalid', '2023-02-29T00:00:00.000Z'],
        ['timestamp-invalid', old.replace('Z', '+00:00')],
      ];
    case 'lower-case hexadecimal':
      return [['hexadecimal-invalid', `${old}0`]];
    case 'hash value':
      return old.length > 16 ? [['hash-value-invalid', `${old}!`]] : [];
    case 'URL':
      return [['url-invalid', `${old} `]];
    default:
      return [];
  }
}

const otherTypes = [...documents.keys()].filter(name => name !== 'common');

/** Identifiers of every type that the place may not refer to. */
function wrongReferences(schemas: Schema[]): string[] {
  const patterns = schemas.flatMap(({ title, pattern }) => (title?.startsWith('reference to ') ? (pattern ?? []) : []));
  return patterns.flatMap(pattern =>
    otherTypes.map(type => `${type}--${uuid}`).filter(id => !new RegExp(pattern).test(id)),
  );
}

describe('what the schemas describe', () => {
  it.each(samples)('$type $id: each single change is refused for itself', sample => {
    const changes = wrongChanges(sample);
    expect(changes.length).toBeGreaterThan(5);
    expect(changes.flatMap(({ object, code, path }) => deviations(object, code, path))).toEqual([]);
  });

  it('is all in some sample', () => {
    const used = new Map<Schema, Set<string>>();
    for (const { described, value } of [...samples, ...canonical].flatMap(placesOf)) {
      for (const { schema } of described) {
        used.set(schema, new Set([...(used.get(schema) ?? []), ...Object.keys(value as object)]));
      }
    }
    const unused = [...documents]
      .filter(([name]) => name !== 'bundle')
      .flatMap(([name, document]) => [...partsOf(document)].map(part => ({ name, part })))
      .flatMap(({ name, part }) => namesIn(part).map(property => ({ name, property, names: used.get(part) })))
      .filter(({ property, names }) => !names?.has(property))
      .map(({ name, property }) => `${name}: ${property}`);
    expect(unused).toEqual([]);
  });

  /** The schemas in one, itself included, but for conditions and choices, which say nothing new. */
  function* partsOf(schema: Schema): Generator<Schema> {
    const { $defs, properties, patternProperties, items, additionalProperties, allOf: parts } = schema;
    yield schema;
    const named = [$defs, properties, patternProperties].flatMap(group => Object.values(group ?? {}));
    for (const part of [...named, items, additionalProperties, ...(parts ?? [])]) {
      if (typeof part === 'object') yield* partsOf(part);
    }
  }

  /** Not those that are only there to be refused. */
  function namesIn({ properties = {} }: Schema): string[] {
    return Object.keys(properties).filter(name => !(properties[name] as Schema).not || properties[name] === true);
  }

  const values: Record<string, unknown> = {
    modified: '2024-03-02T09:30:00.125Z',
    revoked: false,
    labels: ['harbour'],
    confidence: 1,
    lang: 'en',
    defanged: false,
    extensions: { [definition]: ofDefinition },
  };

  it.each(samples)('$type $id: what its type has not may not be there', sample => {
    const excluded = placesOf(sample)
      .slice(0, 1)
      .flatMap(({ described }) => described)
      .flatMap(({ schema }) => Object.entries(schema.properties ?? {}))
      .flatMap(([name, property]) => (property !== true && property.title === 'property not applicable' ? name : []));
    for (const name of new Set(excluded)) {
      expectOnly({ ...sample, [name]: values[name] }, 'property-not-applicable', `/${name}`);
    }
  });
});

describe('at any place of any sample', () => {
  const sampleAndContainer = fc
    .constantFrom(...samples)
    .chain(sample => fc.tuple(fc.constant(sample), fc.constantFrom(...containersOf(sample))));

  function containersOf(sample: Sample): Path[] {
    const paths: Path[] = [[]];
    for (const path of paths) {
      for (const [name, child] of Object.entries(valueAt(sample, path) as object)) {
        if (typeof child === 'object') paths.push([...path, name]);
      }
    }
    return paths;
  }

  /** Puts a value into a list or an object that the sample has, or deeper into values of its own. */
  const places = fc.tuple(sampleAndContainer, fc.array(fc.constantFrom('deep', 'wide'), { maxLength: 5 }));

  function put(sample: Sample, container: Path, nested: string[], value: unknown): { object: Sample; path: string } {
    const parent = valueAt(sample, container);
    const key = Array.isArray(parent) ? parent.length : 'x_own';
    const wrapped = nested.reduceRight<unknown>((inner, kind) => (kind === 'deep' ? { x_in: inner } : [inner]), value);
    const inside = nested.map(kind => (kind === 'deep' ? 'x_in' : 0));
    return { object: withValue(sample, [...container, key], wrapped), path: pointer([...container, key, ...inside]) };
  }

  it.each<[ProblemCode, unknown]>([
    ['null-value', null],
    ['surrogate-unpaired', 'a\ud800b'],
    ['number-out-of-range', 2 ** 53],
    ['number-out-of-range', Number.POSITIVE_INFINITY],
  ])('%s is found: %j', (code, value) => {
    fc.assert(
      fc.property(places, ([[sample, container], nested]) => {
        // Inside of what the schemas describe, a wrong list or object is itself the graver problem.
        const isOwn = container.length === 0;
        const { object, path } = put(sample, container, isOwn ? nested : [], value);
        expectOnly(object, code, path);
      }),
      { numRuns: 500 },
    );
  });

  it('__proto__ is found', () => {
    fc.assert(
      fc.property(places, ([[sample, container], nested]) => {
        const object = JSON.parse(JSON.stringify(sample));
        const isList = Array.isArray(valueAt(object, container));
        const at = isList ? [] : container;
        const { object: changed, path } = put(
          object,
          at,
          at.length === 0 ? nested : [],
          JSON.parse('{"__proto__":{"a":1}}'),
        );
        const errors = judge(changed, 'tolerant').errors.filter(({ code }) => code === 'proto-property');
        expect(errors.map(problem => problem.path)).toEqual([`${path}/__proto__`]);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[ProblemCode, unknown]>([
    ['list-empty', []],
    ['dictionary-empty', {}],
  ])('%s is found in what the standard does not know', (code, value) => {
    fc.assert(
      fc.property(places, ([[sample], nested]) => {
        const { object, path } = put(sample, [], nested, value);
        expectOnly(object, code, path);
      }),
      { numRuns: 500 },
    );
  });
});

describe('timestamps that stand in an order', () => {
  const pairs: [type: string, earlier: string, later: string, code: ProblemCode, isStrict: boolean][] = [
    ['tool', 'created', 'modified', 'modified-order', false],
    ['x-harbour-ship', 'created', 'modified', 'modified-order', false],
    ['campaign', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['infrastructure', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['intrusion-set', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['malware', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['sighting', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['threat-actor', 'first_seen', 'last_seen', 'timestamp-order', false],
    ['indicator', 'valid_from', 'valid_until', 'valid-until-order', true],
    ['network-traffic', 'start', 'end', 'timestamp-order', false],
    ['observed-data', 'first_observed', 'last_observed', 'timestamp-order', false],
    ['relationship', 'start_time', 'stop_time', 'stop-time-order', true],
  ];
  /** Instants, each later than the one before it; within one, ways to write it. */
  const instants = [
    ['2016-12-31T23:59:59.999Z', '2016-12-31T23:59:59.99900Z'],
    ['2016-12-31T23:59:60.000Z', '2016-12-31T23:59:60Z'],
    ['2016-12-31T23:59:60.5000Z', '2016-12-31T23:59:60.5Z'],
    ['2017-01-01T00:00:00.000Z', '2017-01-01T00:00:00Z', '2017-01-01T00:00:00.000000000000Z'],
    ['2017-01-01T00:00:00.0000000001Z', '2017-01-01T00:00:00.00000000010Z'],
    ['2017-01-01T00:00:00.0000000002Z'],
    ['2017-01-01T00:00:00.500Z', '2017-01-01T00:00:00.5Z'],
    ['2017-01-01T00:00:00.5000000001Z'],
    ['2017-01-01T00:00:01.000Z', '2017-01-01T00:00:01Z'],
  ];
  const times = instants.flatMap((texts, index) => texts.map(text => ({ text, index })));

  it.each(pairs)('%s: %s and %s', (type, earlier, later, code, isStrict) => {
    const sample = samples.find(one => one.type === type && one[earlier] && one[later]) as Sample;
    // created and modified need three digits.
    const usable = times.filter(({ text }) => earlier !== 'created' || /\.\d{3}/.test(text));
    for (const from of usable) {
      for (const to of usable) {
        const object = { ...sample, [earlier]: from.text, [later]: to.text };
        const isRight = isStrict ? to.index > from.index : to.index >= from.index;
        expect([object, isRight ? [] : deviations(object, code, `/${later}`)]).toEqual([object, []]);
        if (isRight) expectNothing(object);
      }
    }
  });

  it('either of them alone is enough', () => {
    for (const [type, earlier, later] of pairs.filter(pair => pair[0] === 'campaign' || pair[0] === 'relationship')) {
      const sample = samples.find(one => one.type === type) as Sample;
      expectNothing(withValue(sample, [earlier], undefined));
      expectNothing(withValue(sample, [later], undefined));
    }
  });
});

describe('ids that are made from what an observable holds (STIX 2.1 §2.9)', () => {
  const cases: [type: string, otherwise: Sample, contributing: Sample][] = [
    [
      'email-message',
      { is_multipart: false, content_type: 'text/plain' },
      { from_ref: `email-addr--${uuid}`, subject: '', body: '' },
    ],
    ['user-account', { credential: 'hush' }, { account_type: 'unix', user_id: '1', account_login: 'keel' }],
    ['windows-registry-key', { number_of_subkeys: 3 }, { key: 'HKEY_USERS\\a', values: [{ name: 'a' }] }],
    ['x509-certificate', { issuer: 'a' }, { hashes: { MD5: 'a'.repeat(32) }, serial_number: '1' }],
  ];
  const made = uuid.replace('-4', '-5');

  it.each(cases)('%s', (type, otherwise, contributing) => {
    const object = { type, id: `${type}--${made}`, ...otherwise };
    expectOnly(object, 'deterministic-id', '/id');
    expectNothing({ ...object, id: `${type}--${uuid}` });
    for (const [name, value] of Object.entries(contributing)) expectNothing({ ...object, [name]: value });
  });

  it('a process has no such property, and other types cannot be without', () => {
    expectOnly({ type: 'process', id: `process--${made}`, pid: 1, command_line: 'a' }, 'deterministic-id', '/id');
    expectNothing({ type: 'mutex', id: `mutex--${made}`, name: 'a' });
    expectNothing({ type: 'x-harbour-buoy', id: `x-harbour-buoy--${made}` });
  });
});

describe('TLP (STIX 2.1 §7.2.1)', () => {
  const [white, green] = tlpSamples as [Sample, Sample];
  const [clear, green2, , , red2] = tlp2Samples as [Sample, Sample, Sample, Sample, Sample];
  const levelOf = ({ definition, extensions }: Sample) =>
    ((definition as Sample | undefined)?.tlp ??
      (extensions as Sample & { [id: string]: Sample })[tlp2Extension]?.tlp_2_0) as string;

  it.each(canonical)('$name, however its date is written, and without a name', sample => {
    expectNothing({ ...sample, created: `${sample.created}`.replace('.000Z', '.000000Z') });
    expectNothing(withValue(sample, ['name'], undefined));
  });

  it.each(canonical)('$name may not be changed otherwise', sample => {
    const changes: Sample[] = [
      { id: `marking-definition--${uuid}` },
      { created: '2017-01-20T00:00:00.001Z' },
      { name: 'TLP' },
      { created_by_ref: `identity--${uuid}` },
      { external_references: [{ source_name: 'harbour-watch', url: 'https://watch.example.org' }] },
      { object_marking_refs: [marking] },
      { granular_markings: [{ marking_ref: marking, selectors: ['created'] }] },
      { x_own: 1 },
    ];
    for (const change of changes) expectOnly({ ...sample, ...change }, 'tlp-not-canonical', '/id');
    const content = sample.definition ? ['definition'] : ['extensions', tlp2Extension];
    expectOnly(withValue(sample, [...content, 'x_own'], 1), 'tlp-not-canonical', '/id');
  });

  it.each(canonical)('$name may not stand for another level', sample => {
    const others = ['white', 'green', 'amber', 'red', 'clear', 'amber+strict', 'TLP:RED', `${levelOf(sample)} `];
    const path = sample.definition ? ['definition', 'tlp'] : ['extensions', tlp2Extension, 'tlp_2_0'];
    for (const level of others) {
      const isWhite = ['white', 'clear'].includes(level) && ['white', 'clear'].includes(levelOf(sample));
      const isSame = level === levelOf(sample) || level === `TLP:${levelOf(sample).toUpperCase()}`;
      if (!isSame && !isWhite) expectOnly(withValue(sample, path, level), 'tlp-changed', '/id');
    }
  });

  it('another definition may not take the id of one', () => {
    expectOnly({ ...green, id: white.id }, 'tlp-changed', '/id');
    expectOnly({ ...white, id: green2.id }, 'tlp-changed', '/id');
    expectOnly({ ...green2, id: red2.id }, 'tlp-changed', '/id');
    expectOnly({ ...clear, id: green.id }, 'tlp-changed', '/id');
    // The same level, but not the same definition.
    expectOnly({ ...green2, id: green.id }, 'tlp-not-canonical', '/id');
  });

  it('white under its new name is not canonical, and no lie', () => {
    expectOnly(withValue(white, ['definition', 'tlp'], 'clear'), 'tlp-not-canonical', '/id');
  });

  it.each(canonical)('a statement under the id of $name: the standard itself has one for green (C.2.1)', sample => {
    const { id, created } = sample;
    const common = { type: 'marking-definition', spec_version: '2.1', id, created };
    const statement = { ...common, definition_type: 'statement', definition: { statement: '© the watch' } };
    const isOpen = ['white', 'clear', 'green'].includes(levelOf(sample));
    expectOnly(statement, isOpen ? 'tlp-id-reused' : 'tlp-changed', '/id');
  });

  it('what people are shown, and how it is spelt, counts too', () => {
    expectOnly({ ...green, name: 'TLP:RED' }, 'tlp-changed', '/id');
    expectOnly({ ...green, definition_type: 'TLP', definition: { TLP: 'TLP:RED' } }, 'tlp-changed', '/id');
    expectOnly(
      { ...red2, id: String(red2.id).toUpperCase().replace('MARKING-DEFINITION', 'marking-definition') },
      'tlp-not-canonical',
      '/id',
    );
  });

  describe('a level is no less a lie where it stands beside another', () => {
    const extension = (level: Sample) => ({ [tlp2Extension]: { extension_type: 'property-extension', ...level } });

    it.each<[string, Sample]>([
      [
        'white with red and clear',
        { ...white, definition: { tlp: 'red' }, extensions: extension({ tlp_2_0: 'clear' }) },
      ],
      ['white with white and red', { ...white, extensions: extension({ tlp_2_0: 'red' }) }],
      ['red with red and green', { ...red2, definition_type: 'tlp', definition: { tlp: 'green' } }],
      [
        'red with an extension of no level, and green',
        { ...red2, extensions: extension({ x_own: 1 }), definition_type: 'tlp', definition: { tlp: 'green' } },
      ],
    ])('%s', (_, object) => {
      expectOnly(object, 'tlp-changed', '/id');
    });
  });
});

describe('selectors (STIX 2.1 §7.2.3)', () => {
  const vulnerability = {
    type: 'vulnerability',
    id: `vulnerability--${uuid}`,
    ...versioned,
    name: 'CVE-1999-99999',
    description: 'Orders are printed unseen.',
    external_references: [{ source_name: 'cve', external_id: 'CVE-1999-99999' }],
    labels: ['printer', 'has-logo'],
    x_own: { 'a-b': [[{ '0': true, empty: '' }]], constructor_of: false },
  };
  const marked = (selector: unknown) => ({
    ...vulnerability,
    granular_markings: [{ marking_ref: marking, selectors: ['labels', selector] }],
  });

  it.each([
    'description',
    'external_references.[0].source_name',
    'labels.[0]',
    'labels.[1]',
    'labels',
    'external_references',
    'external_references.[0]',
    'id',
    'granular_markings.[0].selectors.[1]',
    'x_own.a-b.[0].[0].0',
    'x_own.a-b.[0].[0].empty',
    'x_own.constructor_of',
  ])('%s selects', selector => {
    expectNothing(marked(selector));
  });

  it.each([
    'pattern',
    'external_references.[3]',
    'external_references.[1]',
    'description.[0]',
    'description.length',
    'labels.name',
    'labels.0',
    'labels.length',
    'labels.[2]',
    'labels.[99999999999999999999]',
    'external_references.source_name',
    'x_own.[0]',
    'x_own.constructor',
    'toString',
    'revoked',
  ])('%s selects nothing', selector => {
    expectOnly(marked(selector), 'selector-unresolved', '/granular_markings/0/selectors/1');
  });

  it.each([
    '',
    '.',
    'labels.',
    '.labels',
    'labels[0]',
    '[0]',
    'labels.[0',
    'labels.[]',
    'labels.[-1]',
    'labels.[*]',
    '$',
  ])('%j is no selector', selector => {
    expectOnly(marked(selector), 'selector-invalid', '/granular_markings/0/selectors/1');
  });
});

describe('the container of observed data (STIX 2.1 §2.13, §4.14.1)', () => {
  const observed = (objects: unknown) => ({
    type: 'observed-data',
    id: `observed-data--${uuid}`,
    ...versioned,
    first_observed: '2024-02-20T18:00:00Z',
    last_observed: '2024-02-20T18:00:00Z',
    number_observed: 1,
    objects,
  });
  const address = { type: 'ipv4-addr', value: '192.0.2.17' };
  const file = { type: 'file', name: 'order.txt' };
  const traffic = { type: 'network-traffic', protocols: ['tcp'], src_ref: '1' };
  const archive = (reference: string) => ({ ...file, extensions: { 'archive-ext': { contains_refs: [reference] } } });

  it.each<[string, unknown]>([
    ['as STIX 2.0 has them', { '0': { ...domain, resolves_to_refs: ['1'] }, '1': address }],
    ['with any text as id', { a: { ...address, id: '0' }, b: { ...file, id: 'a file' } }],
    ['with identifiers as keys', { [`file--${uuid}`]: file, b: archive(`file--${uuid}`) }],
    ['that refer to each other', { '1': { ...address }, '2': { ...traffic, encapsulates_refs: ['2'] } }],
    ['with references in extensions', { '0': archive('1'), '1': file }],
    [
      'with references in parts',
      {
        '0': { type: 'email-message', is_multipart: true, body_multipart: [{ body_raw_ref: '1' }], from_ref: '2' },
        '1': file,
        '2': { type: 'email-addr', value: 'keel@example.org' },
      },
    ],
    ['of types of their own', { '0': { type: 'x-harbour-buoy', x_near_refs: ['0'], colour: 'red' } }],
    ['of STIX 2.1', { '0': { ...file, spec_version: '2.1', id: `file--${uuid}`, defanged: false } }],
  ])('takes members %s', (_, objects) => {
    expectNothing(observed(objects));
  });

  it.each<[unknown, ProblemCode, string]>([
    [{}, 'dictionary-empty', '/objects'],
    [{ 'a b': file }, 'dictionary-key-invalid', '/objects/a b'],
    [{ '0': file, '1': 'file' }, 'value-type', '/objects/1'],
    [{ '0': { name: 'order.txt' } }, 'property-missing', '/objects/0/type'],
    [{ '0': { type: 'File', name: 'a' } }, 'type-name-invalid', '/objects/0/type'],
    [{ '0': { type: 'ipv4-addr' } }, 'property-missing', '/objects/0/value'],
    [{ '0': { ...address, value: '192.0.2.256' } }, 'ip-address-invalid', '/objects/0/value'],
    [{ '0': { type: 'ipv6-addr', value: '1:::2' } }, 'ip-address-invalid', '/objects/0/value'],
    [{ '0': { type: 'file', size: 3 } }, 'property-choice', '/objects/0'],
    [{ '0': { ...file, name_enc: 'latin1' } }, 'character-set-unknown', '/objects/0/name_enc'],
    [{ '0': { ...file, mime_type: 'text/x-no-such' } }, 'media-type-unknown', '/objects/0/mime_type'],
    [{ '0': { type: 'software', name: 'a', languages: ['xx'] } }, 'language-unknown', '/objects/0/languages/0'],
    [{ '0': { ...file, x_own: null } }, 'null-value', '/objects/0/x_own'],
    [{ '0': { ...file, spec_version: '2.0' } }, 'spec-version-unsupported', '/objects/0/spec_version'],
    [{ '0': { ...domain, resolves_to_refs: ['1'] } }, 'container-reference', '/objects/0/resolves_to_refs/0'],
    [{ '0': { ...domain, resolves_to_refs: ['1'] }, '1': file }, 'reference-type', '/objects/0/resolves_to_refs/0'],
    [{ '0': archive('2') }, 'container-reference', '/objects/0/extensions/archive-ext/contains_refs/0'],
    [{ '0': archive('1'), '1': address }, 'reference-type', '/objects/0/extensions/archive-ext/contains_refs/0'],
    [{ '0': { ...file, x_near_ref: 'constructor' } }, 'container-reference', '/objects/0/x_near_ref'],
    [{ '0': { ...file, x_near: [{ y_refs: ['0', '9'] }] } }, 'container-reference', '/objects/0/x_near/0/y_refs/1'],
  ])('%j', (objects, code, path) => {
    expectOnly(observed(objects), code, path);
  });

  it('holds the times of a member against each other', () => {
    const times = { start: '2024-02-20T18:00:01Z', end: '2024-02-20T18:00:00Z' };
    expectOnly(observed({ '0': { ...traffic, ...times }, '1': address }), 'timestamp-order', '/objects/0/end');
  });

  it('needs the id of a member, and what its own references name, to be texts', () => {
    expectOnly(observed({ '0': { ...file, id: 17 } }), 'value-type', '/objects/0/id');
    expectOnly(observed({ '0': { ...file, x_near_ref: 17 } }), 'reference-invalid', '/objects/0/x_near_ref');
  });

  it('takes the markings of a member, which are no observables and stand elsewhere', () => {
    expectNothing(observed({ '0': { ...file, object_marking_refs: [marking] } }));
    expectNothing(observed({ '0': { ...file, granular_markings: [{ marking_ref: marking, selectors: ['name'] }] } }));
  });

  it.each<[string, Sample]>([
    ['a bundle', { type: 'bundle' }],
    ['an identity', { type: 'identity', id: `identity--${uuid}`, ...versioned, name: 'A. Keel' }],
    ['a marking', { ...(tlpSamples[0] as Sample) }],
  ])('does not take %s as a member', (_, member) => {
    for (const policy of policies) expect(judge(observed({ '0': member }), policy).valid).toBe(false);
  });
});

describe('objects of types of their own (STIX 2.1 §7.3, §11.2)', () => {
  const own = (properties: Sample) => ({ type: 'x-harbour-ship', id: `x-harbour-ship--${uuid}`, ...properties });
  const adding = (extension_type: string) => ({ extensions: { [definition]: { extension_type } } });
  const { spec_version, created, modified } = versioned;

  it.each<[string, Sample]>([
    ['undated', {}],
    ['undated, with spec_version', { spec_version }],
    ['dated', versioned],
    ['an observable by its definition, dated or not', adding('new-sco')],
    ['an observable with one date', { created, ...adding('new-sco') }],
    ['an observable with dates', { ...versioned, ...adding('new-sco') }],
    ['an observable, defanged', { defanged: true, ...adding('new-sco') }],
    ['undated, defanged', { defanged: true }],
    ['a domain object', { ...versioned, ...adding('new-sdo') }],
    ['a relationship object', { ...versioned, ...adding('new-sro') }],
    ['undated, with properties of others', adding('property-extension')],
  ])('%s', (_, properties) => {
    expectNothing(own(properties));
  });

  it.each<[Sample, ProblemCode, string]>([
    [{ spec_version, created }, 'modified-missing', '/modified'],
    [{ spec_version, modified }, 'property-missing', '/created'],
    [{ created, modified }, 'spec-version-unsupported', '/spec_version'],
    [{ spec_version, created, ...adding('new-sdo') }, 'modified-missing', '/modified'],
    [{ spec_version, modified, ...adding('new-sro') }, 'property-missing', '/created'],
    [{ ...versioned, ...adding('new-sdo'), defanged: true }, 'property-not-applicable', '/defanged'],
    [{ ...versioned, defanged: false }, 'property-not-applicable', '/defanged'],
    [{ ...adding('new-sco'), spec_version: '2.0' }, 'spec-version-unsupported', '/spec_version'],
    [{ ...adding('new-sco'), created: '2024-03-01' }, 'timestamp-invalid', '/created'],
    [{ created_by_ref: marking }, 'reference-type', '/created_by_ref'],
    [{ lang: 'xx' }, 'language-unknown', '/lang'],
    [{ action: 'sail' }, 'property-reserved', '/action'],
  ])('%j', (properties, code, path) => {
    expectOnly(own(properties), code, path);
  });
});

describe('what is said', () => {
  const tool: Sample = { type: 'tool', id: `tool--${uuid}`, ...versioned, name: 'Chart printer' };
  const file = samples.find(({ type, size }) => type === 'file' && size) as Sample;

  function said(value: unknown, policy: Policy = 'strict'): string {
    const { errors, warnings } = judge(value, policy);
    return describeProblems([...errors, ...warnings]);
  }

  function sectionsOf(value: unknown): string[] {
    return judge(value, 'strict').errors.map(({ path, section }) => `${path} ${section}`);
  }

  it('is where, what, and where that is written', () => {
    const indicator = samples.find(({ type }) => type === 'indicator') as Sample;
    expect(said({ ...indicator, valid_until: indicator.valid_from, confidence: 101 })).toBe(
      '/confidence must be <= 100 (STIX 2.1 §3.2, value-out-of-range); ' +
        '/valid_until must be later than /valid_from (STIX 2.1 §4.7.1, valid-until-order)',
    );
    expect(said(17)).toMatch(/^the object must be a STIX object: .* \(TAXII 2\.1 §3\.7, object-expected\)$/);
  });

  it.each<[Sample, string]>([
    [{ ...tool, external_references: [{ external_id: '1' }] }, '/external_references/0/source_name STIX 2.1 §2.5.1'],
    [{ ...tool, kill_chain_phases: [{ phase_name: 'a' }] }, '/kill_chain_phases/0/kill_chain_name STIX 2.1 §2.11'],
    [{ ...tool, tool_version: 1 }, '/tool_version STIX 2.1 §4.18.1'],
    [{ ...tool, labels: 'a' }, '/labels STIX 2.1 §3.2'],
    [{ ...tool, X: 1 }, '/X STIX 2.1 §3.1'],
    [{ ...file, size: 'a' }, '/size STIX 2.1 §6.7.1'],
    [{ ...file, extensions: { 'ntfs-ext': { sid: 1 } } }, '/extensions/ntfs-ext/sid STIX 2.1 §6.7.3'],
    [
      { ...file, extensions: { 'ntfs-ext': { alternate_data_streams: [{ size: 1 }] } } },
      '/extensions/ntfs-ext/alternate_data_streams/0/name STIX 2.1 §6.7.3',
    ],
    [
      { ...file, extensions: { 'windows-pebinary-ext': { pe_type: 'exe', sections: [{ size: 1 }] } } },
      '/extensions/windows-pebinary-ext/sections/0/name STIX 2.1 §6.7.6',
    ],
    [{ ...file, extensions: { 'x-own-ext': 1 } }, '/extensions/x-own-ext STIX 2.1 §3.2'],
    [{ ...tool, type: 'x-own', id: `x-own--${uuid}`, revoked: 1 }, '/revoked STIX 2.1 §3.2'],
    [
      withValue(samples.find(({ objects }) => objects) as Sample, ['objects', '1', 'value'], 1),
      '/objects/1/value STIX 2.1 §6.8.1',
    ],
    [
      withValue(samples.find(({ stop_time }) => stop_time) as Sample, ['stop_time'], longAgo),
      '/stop_time STIX 2.1 §5.1.2',
    ],
    [{ type: 'mutex', id: `mutex--${uuid}` }, '/name STIX 2.1 §6.11.1'],
    [{ type: 'location', id: `location--${uuid}`, ...versioned }, ' STIX 2.1 §4.10.1'],
    [{ ...file, extensions: { 'pdf-ext': { x_own: 1 } } }, '/extensions/pdf-ext STIX 2.1 §6.7.4'],
    [
      withValue(
        samples.find(({ type }) => type === 'attack-pattern') as Sample,
        ['external_references', 0, 'external_id'],
        '1',
      ),
      '/external_references/0/external_id STIX 2.1 §4.1.1',
    ],
  ])('names the section of the place: %#', (object, expectedSection) => {
    expect(sectionsOf(object)).toEqual([expectedSection]);
  });

  it('has a section everywhere, and a path that can be printed', () => {
    for (const sample of samples) {
      for (const { object } of wrongChanges(sample)) {
        for (const { section, path, message } of judge(object, 'strict').errors) {
          expect(section).toMatch(/^(STIX|TAXII) 2\.1 §\d+(\.\d+)*$|^RFC 8259$|^Taxiway$/);
          expect(path).toMatch(/^(\/[\p{L}\p{N}._-]+)*$/u);
          expect(message).not.toMatch(/undefined|^$/);
        }
      }
    }
  });

  it.each<[string, Sample, string]>([
    ['slashes and tildes', { 'a/b~1': null }, '/x_own/a~1b~01'],
    ['what cannot be printed', { 'a\n\u0000\ud800': 1 }, '/x_own/a\ufffd\ufffd\ufffd'],
    ['very long names', { ['a'.repeat(1000)]: 1 }, `/x_own/${'a'.repeat(243)}…`],
  ])('writes paths for people: %s', (_, x_own, path) => {
    expect(judge({ ...tool, x_own }, 'strict').errors.map(problem => problem.path)).toEqual([path]);
  });

  it('lists ten', () => {
    const problems = judge({ ...tool, x_own: Array(12).fill(null) }, 'strict').errors;
    expect(describeProblems(problems).split('; ')).toHaveLength(11);
    expect(describeProblems(problems)).toMatch(/; and 2 more$/);
    expect(describeProblems([])).toBe('');
  });

  it('is at most 100 errors and 100 warnings, and no error is lost behind warnings', () => {
    const x_own = { many: Array(300).fill([]), more: Array(300).fill(null) };
    const strict = judge({ ...tool, x_own }, 'strict');
    expect([strict.errors.length, strict.warnings.length]).toEqual([100, 0]);
    const tolerant = judge({ ...tool, x_own }, 'tolerant');
    expect([tolerant.errors.length, tolerant.warnings.length]).toEqual([100, 100]);
    expect(judge({ ...tool, x_own: x_own.many, stop: null }, 'tolerant').errors).toMatchObject([{ path: '/stop' }]);
    expect(judge({ ...tool, x_own: x_own.many, name: 1 }, 'tolerant').errors).toMatchObject([{ path: '/name' }]);
    expect(judge({ ...tool, x_own: x_own.many, modified: '2999-01-01T00:00:00.000Z' }, 'tolerant')).toMatchObject({
      errors: [{ code: 'timestamp-in-future' }],
      valid: false,
    });
  });

  it('is the gravest of a place, the same under both policies', () => {
    // A hash name that is no dictionary key either, and a null that is no text either.
    const reference = { source_name: 'a', external_id: '1', hashes: { 'SHA 1': 'aa' } };
    expectOnly(
      { ...tool, external_references: [reference] },
      'hash-name-invalid',
      '/external_references/0/hashes/SHA 1',
    );
    expectOnly({ ...tool, name: null }, 'null-value', '/name');
    expectOnly({ ...tool, labels: ['a', null] }, 'null-value', '/labels/1');
  });
});

describe('a bundle', () => {
  const [bundle] = bundleSamples as [Sample];
  const [tool, address] = bundle.objects as [Sample, Sample];

  function inBundle(changes: Sample, policy: Policy = 'strict'): Judgement {
    return validator.judgeBundle({ ...bundle, ...changes }, { policy, now });
  }

  function bundleDeviations(changes: Sample, code: ProblemCode, path: string): string[] {
    return policies.flatMap(policy => {
      const found = foundIn(inBundle(changes, policy));
      const wanted = expected(policy, code, path);
      return found.length === 1 && found[0] === wanted ? [] : [`${policy}: ${wanted}, not ${found.join(' and ')}`];
    });
  }

  it('is valid with its objects, and without any', () => {
    for (const policy of policies) {
      expect(inBundle({}, policy)).toMatchObject({
        valid: true,
        errors: [],
        warnings: [],
        object: { id: bundle.id, type: 'bundle' },
      });
      expect(inBundle({ objects: undefined }, policy)).toMatchObject({ valid: true, errors: [], warnings: [] });
      expect(inBundle({ objects: [...samples.slice(0, 30), ...canonical] }, policy).valid).toBe(true);
    }
  });

  it.each<[Sample, ProblemCode, string]>([
    [{ id: 'bundle' }, 'identifier-invalid', '/id'],
    [{ id: `tool--${uuid}` }, 'id-type-mismatch', '/id'],
    [{ id: 'bundle--22222222-2222-2222-2222-222222222222' }, 'uuid-invalid', '/id'],
    [{ objects: [] }, 'list-empty', '/objects'],
    [{ objects: tool }, 'value-type', '/objects'],
    [{ objects: [tool, 17] }, 'value-type', '/objects/1'],
    [{ objects: [tool, { ...bundle }] }, 'bundle-in-envelope', '/objects/1/type'],
    [{ objects: [address, withValue(tool, ['name'], undefined)] }, 'property-missing', '/objects/1/name'],
    [{ objects: [address, { ...tool, labels: [] }] }, 'list-empty', '/objects/1/labels'],
    [{ objects: [withValue(tool, ['modified'], undefined)] }, 'modified-missing', '/objects/0/modified'],
    [{ objects: [{ ...tool, x_own: { '/': null } }] }, 'null-value', '/objects/0/x_own/~1'],
    [{ x_own: null }, 'null-value', '/x_own'],
    [{ X: 1 }, 'property-name-invalid', '/X'],
    [{ x_own: '\ud800' }, 'surrogate-unpaired', '/x_own'],
  ])('%#: %j', (changes, code, path) => {
    expect(bundleDeviations(changes, code, path)).toEqual([]);
  });

  it('needs an id', () => {
    const { id: _, ...rest } = bundle;
    const judgement = validator.judgeBundle(rest, { policy: 'tolerant', now });
    expect([judgement.valid, foundIn(judgement)]).toEqual([false, ['error property-missing /id']]);
  });

  it('may not hold two contents of one version', () => {
    const other = { ...tool, name: 'Plotter' };
    expect(bundleDeviations({ objects: [tool, address, other] }, 'version-conflict', '/objects/2')).toEqual([]);
    const sameInstant = { ...other, modified: '2024-03-01T08:00:00.0000Z' };
    expect(bundleDeviations({ objects: [tool, sameInstant] }, 'version-conflict', '/objects/1')).toEqual([]);
    const reordered = Object.fromEntries(Object.entries(tool).reverse());
    for (const objects of [
      [tool, { ...tool }],
      [tool, reordered],
      [tool, { ...other, modified: '2024-03-01T08:00:00.001Z' }],
      [address, { ...address, value: '198.51.100.5' }],
    ]) {
      expect(inBundle({ objects })).toMatchObject({ valid: true, errors: [], warnings: [] });
    }
  });

  it('says what is wrong with many of its objects, each at its place', () => {
    const judgement = inBundle(
      { objects: Array.from({ length: 150 }, () => ({ ...tool, name: 1, labels: [] })) },
      'tolerant',
    );
    expect(judgement.errors).toHaveLength(100);
    expect(judgement.warnings.length).toBeLessThanOrEqual(100);
    expect(judgement.errors[99]).toMatchObject({
      code: 'value-type',
      path: '/objects/99/name',
      section: 'STIX 2.1 §4.18.1',
    });
  });

  it('has no version, whatever it holds', () => {
    expect(inBundle({ modified: 17 })).toMatchObject({ valid: true, object: { version: undefined } });
  });
});
