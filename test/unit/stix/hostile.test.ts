import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProblemCode, problemCatalogue } from '../../../src/stix/catalogue.ts';
import { readSchemas } from '../../../src/stix/schemas.ts';
import { createValidator, describeProblems, type Judgement, type Policy } from '../../../src/stix/validate.ts';
import { type Path, valueAt, withValue } from '../../support/judging.ts';
import { domainSamples } from '../../support/samples/domain-objects.ts';
import { metaSamples, tlpSamples } from '../../support/samples/meta-objects.ts';
import { observableSamples } from '../../support/samples/observables.ts';

type Values = Record<string, unknown>;

const validator = createValidator();
const now = new Date('2026-06-01T12:00:00Z');
const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const date = '2016-04-06T20:03:48.000Z';
const samples = [...domainSamples, ...observableSamples, ...metaSamples];
const policies: Policy[] = ['strict', 'tolerant'];
const problemsMax = 100;
// Machines are noisy. What these inputs really take is measured, and said at the end.
const millisecondsMax = 20_000;
const long = 100_000;
const megabytes5 = 5_000_000;
const many = 240_000;

const times: { name: string; milliseconds: number }[] = [];
afterAll(() => {
  const slowest = times.sort((one, other) => other.milliseconds - one.milliseconds).slice(0, 8);
  console.info(
    `slowest: ${slowest.map(({ name, milliseconds }) => `${name} ${milliseconds.toFixed()} ms`).join(', ')}`,
  );
});

const report: Values = {
  type: 'report',
  spec_version: '2.1',
  id: `report--${uuid}`,
  created: date,
  modified: date,
  name: 'A report',
  published: date,
  object_refs: [`tool--${uuid}`],
};

function observable(type: string, values: Values): Values {
  return { type, spec_version: '2.1', id: `${type}--${uuid}`, ...values };
}

function domainObject(type: string, values: Values): Values {
  return { ...observable(type, values), created: date, modified: date };
}

function repeat(count: number, value: unknown): unknown[] {
  return Array(count).fill(value);
}

/** An object with very many properties. */
function named(count: number, nameOf: (index: number) => string, value: unknown): Values {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [nameOf(index), value]));
}

function isSane(judgement: Judgement): boolean {
  const { valid, errors, warnings } = judgement;
  expect(valid).toBe(errors.length === 0);
  expect(errors.length).toBeLessThanOrEqual(problemsMax);
  expect(warnings.length).toBeLessThanOrEqual(problemsMax);
  // What ends in a status resource and in logs: short, in one line, Unicode text.
  const said = `${valid || judgement.id} ${valid || judgement.version} ${describeProblems([...errors, ...warnings])}`;
  expect(said).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  expect(said.length).toBeLessThan(8000);
  for (const { code, path, message, section } of [...errors, ...warnings]) {
    expect(problemCatalogue).toHaveProperty(code);
    expect(path.length).toBeLessThan(300);
    expect(message).not.toMatch(/undefined|^$/);
    expect(section).toMatch(/^(?:(?:STIX|TAXII) 2\.1 §\d|RFC \d|Taxiway)/);
  }
  return true;
}

/** Judges a value, and holds the time that it takes to the bound: the better one of two, where the first is too long. */
function judgeSoon(name: string, value: unknown, policy: Policy, limit = millisecondsMax): Judgement {
  let milliseconds = Number.POSITIVE_INFINITY;
  let judgement: Judgement | undefined;
  for (let attempt = 0; attempt < 2 && milliseconds > limit; attempt += 1) {
    const start = performance.now();
    const isBundle = (value as Values | null)?.type === 'bundle';
    judgement = isBundle
      ? validator.judgeBundle(value as Values, { policy, now })
      : validator.judge(value, { policy, now });
    milliseconds = Math.min(milliseconds, performance.now() - start);
  }
  times.push({ name, milliseconds });
  expect(milliseconds, name).toBeLessThan(limit);
  isSane(judgement as Judgement);
  return judgement as Judgement;
}

function codesOf({ errors }: Judgement): ProblemCode[] {
  return [...new Set(errors.map(({ code }) => code))];
}

type Hostile = [name: string, make: (count: number) => unknown, strictCodes: ProblemCode[]];

function itIsJudged(cases: Hostile[]): void {
  it.each(cases)('%s', (name, make, strictCodes) => {
    // A part first: were the time quadratic, the whole would take minutes, and no test can interrupt it.
    judgeSoon(`${name}, a part`, make(24_000), 'strict', millisecondsMax / 8);
    const value = make(many);
    const strict = judgeSoon(name, value, 'strict');
    expect(codesOf(strict)).toEqual(strictCodes);
    expect(strict.valid && !judgeSoon(name, value, 'tolerant').valid).toBe(false);
  });
}

describe('very long names', () => {
  itIsJudged([
    ['id', () => ({ ...report, id: 'a-'.repeat(long) }), ['identifier-invalid']],
    ['id without an end', () => ({ ...report, id: `report--${'a'.repeat(long)}` }), ['identifier-invalid']],
    ['type', () => ({ ...report, type: 'a'.repeat(long) }), ['type-name-invalid']],
    ['type with hyphens', () => ({ ...report, type: 'a-'.repeat(long) }), ['type-name-invalid']],
    ['property name', () => ({ ...report, ['a'.repeat(long)]: 1 }), ['property-name-invalid']],
    ['property name that ends with _ref', () => ({ ...report, [`${'a'.repeat(long)}_ref`]: 1 }), ['reference-invalid']],
    ['key of a dictionary', () => ({ ...report, x_foo: { ['a'.repeat(long)]: 1 } }), ['dictionary-key-invalid']],
    [
      'extension name',
      () => ({ ...report, extensions: { [`${'a-'.repeat(long)}ext`]: { foo: 1 } } }),
      ['dictionary-key-invalid'],
    ],
    ['hash name', () => observable('file', { hashes: { ['A'.repeat(long)]: 'a' } }), ['hash-name-invalid']],
    ['language', () => ({ ...report, lang: 'en-'.repeat(long) }), ['language-tag-invalid']],
    [
      'language in contents',
      () =>
        domainObject('language-content', { object_ref: report.id, contents: { ['a'.repeat(long)]: { name: 'a' } } }),
      ['dictionary-key-invalid'],
    ],
    [
      'selector',
      () => ({ ...report, granular_markings: [{ lang: 'en', selectors: ['a.'.repeat(long)] }] }),
      ['selector-invalid'],
    ],
    ['spec_version', () => ({ ...report, spec_version: '2.1'.repeat(long) }), ['spec-version-unsupported']],
    [
      'relationship type',
      () =>
        domainObject('relationship', {
          relationship_type: `${'a-'.repeat(long)}_`,
          source_ref: report.id,
          target_ref: report.id,
        }),
      ['relationship-type-invalid'],
    ],
    [
      'value of an enumeration',
      () => domainObject('opinion', { opinion: 'agree'.repeat(long), object_refs: [report.id] }),
      ['value-not-allowed'],
    ],
    [
      'character set',
      () => observable('file', { name: 'a', name_enc: 'UTF-8'.repeat(long) }),
      ['character-set-unknown'],
    ],
    [
      'key of a container',
      () =>
        domainObject('observed-data', {
          first_observed: date,
          last_observed: date,
          number_observed: 1,
          objects: { ['0'.repeat(long)]: { type: 'mutex', name: 'a' } },
        }),
      ['dictionary-key-invalid'],
    ],
  ]);
});

describe('very long texts', () => {
  const base64 = 'QUJD'.repeat(megabytes5 / 4);
  itIsJudged([
    ['description', () => ({ ...report, description: '\u00e9\u{1f600}'.repeat(megabytes5 / 3) }), []],
    [
      'description with half a surrogate pair at the end',
      () => ({ ...report, description: `${'\u{1f600}'.repeat(megabytes5 / 2)}\ud83d` }),
      ['surrogate-unpaired'],
    ],
    ['payload_bin', () => observable('artifact', { payload_bin: base64 }), []],
    [
      'payload_bin with padding inside',
      () => observable('artifact', { payload_bin: `${base64}A=A=` }),
      ['binary-invalid'],
    ],
    [
      'payload_bin, one character short',
      () => observable('artifact', { payload_bin: base64.slice(1) }),
      ['binary-invalid'],
    ],
    [
      'payload_bin with a line feed at the end',
      () => observable('artifact', { payload_bin: `${base64.slice(1)}\n` }),
      ['binary-invalid'],
    ],
    ['hexadecimal', () => ({ ...report, x_foo_hex: 'ab'.repeat(megabytes5 / 2) }), []],
    [
      'hexadecimal that ends otherwise',
      () => ({ ...report, x_foo_hex: `${'ab'.repeat(megabytes5 / 2)}g0` }),
      ['hexadecimal-invalid'],
    ],
    ['url', () => observable('url', { value: `https://example.org/${'%41'.repeat(megabytes5 / 3)}` }), []],
    [
      'url that ends within an escape',
      () => observable('url', { value: `a:${'%41'.repeat(megabytes5 / 3)}%` }),
      ['url-invalid'],
    ],
    ['domain name', () => observable('domain-name', { value: 'a.'.repeat(megabytes5 / 2) }), ['domain-name-invalid']],
    [
      'email address',
      () => observable('email-addr', { value: `${'"'.repeat(megabytes5)}@` }),
      ['email-address-invalid'],
    ],
    ['IPv4 address', () => observable('ipv4-addr', { value: '1.'.repeat(megabytes5 / 2) }), ['ip-address-invalid']],
    ['IPv6 address', () => observable('ipv6-addr', { value: 'a:'.repeat(megabytes5 / 2) }), ['ip-address-invalid']],
    ['MAC address', () => observable('mac-addr', { value: '02:'.repeat(megabytes5 / 3) }), ['mac-address-invalid']],
    [
      'CPE name',
      () => observable('software', { name: 'a', cpe: `cpe:2.3:a:${'\\!'.repeat(megabytes5 / 2)}` }),
      ['cpe-invalid'],
    ],
    [
      'registry key',
      () => observable('windows-registry-key', { key: `HKLM\\${'a\\'.repeat(megabytes5 / 2)}` }),
      ['registry-hive-abbreviated'],
    ],
    ['MD5', () => observable('file', { hashes: { MD5: 'a'.repeat(megabytes5) } }), ['hash-value-invalid']],
    [
      'SSDEEP',
      () => observable('file', { hashes: { SSDEEP: `1:${'a'.repeat(megabytes5)}:a!` } }),
      ['hash-value-invalid'],
    ],
    ['TLSH', () => observable('file', { hashes: { TLSH: `T1${'a'.repeat(megabytes5)}` } }), ['hash-value-invalid']],
    ['hash of an unknown name', () => observable('file', { hashes: { 'x-foo': 'a'.repeat(megabytes5) } }), []],
    [
      'timestamp',
      () => ({ ...report, modified: `2016-04-06T20:03:49.${'1'.repeat(megabytes5)}Z` }),
      ['timestamp-invalid'],
    ],
    [
      'CVE',
      () =>
        domainObject('vulnerability', {
          name: 'a',
          external_references: [{ source_name: 'cve', external_id: `CVE-2020-${'1'.repeat(megabytes5)}a` }],
        }),
      ['external-id-invalid'],
    ],
    [
      'pattern of another language',
      () => domainObject('indicator', { pattern: '\u00e9'.repeat(megabytes5), pattern_type: 'yara', valid_from: date }),
      [],
    ],
  ]);
});

describe('patterns of a megabyte', () => {
  const unit = "[file:name = 'a']";
  const joined = (count: number, part: string, separator: string): string => Array(count).fill(part).join(separator);
  const megabyte = 1_000_000;
  it.each<[string, string, boolean]>([
    ['letters', 'a'.repeat(megabyte), false],
    ['brackets that open', '['.repeat(megabyte), false],
    ['parentheses that open', '('.repeat(megabyte), false],
    ['parentheses around an expression', `${'('.repeat(megabyte / 2)}${unit}${')'.repeat(megabyte / 2)}`, true],
    [
      'parentheses within an expression',
      `[${'('.repeat(megabyte / 2)}file:name = 'a'${')'.repeat(megabyte / 2)}]`,
      true,
    ],
    ['apostrophes', "'".repeat(megabyte), false],
    ['a text that does not end', `[file:name = '${'a'.repeat(megabyte)}`, false],
    ['a long text', `[file:name = '${'\u{1f600}'.repeat(megabyte / 2)}']`, true],
    ['backslashes', `[file:name = '${'\\\\'.repeat(megabyte / 2)}']`, true],
    ['a backslash at the end', `[file:name = '${'a'.repeat(megabyte)}\\`, false],
    ['blanks', ' '.repeat(megabyte), false],
    ['blanks in an expression', `[file:name${' '.repeat(megabyte)}= 'a']`, true],
    ['comments', `${'/* a */'.repeat(megabyte / 7)}${unit}`, false],
    ['a comment that does not end', `/*${'* '.repeat(megabyte / 2)}`, false],
    ['digits', `[file:size = ${'9'.repeat(megabyte)}]`, false],
    ['a fraction', `[file:size = 0.${'9'.repeat(megabyte)}]`, true],
    ['comparisons joined by OR', `[${joined(50_000, "file:name = 'a'", ' OR ')}]`, true],
    ['comparisons joined by AND', `[${joined(50_000, "file:name = 'a'", ' AND ')}]`, true],
    [
      'comparisons of many types',
      `[${Array.from({ length: 50_000 }, (_, n) => `x-${n}:name = 'a'`).join(' OR ')}]`,
      true,
    ],
    ['observations', joined(50_000, unit, ' FOLLOWEDBY '), true],
    ['qualifiers', `${unit}${' WITHIN 5 SECONDS'.repeat(megabyte / 17)}`, false],
    ['a set', `[file:name IN (${joined(200_000, "'a'", ',')})]`, true],
    ['a set of many types', `[file:name IN (${joined(100_000, "'a',1,true", ',')})]`, false],
    ['a path', `[file:name${'.abc'.repeat(megabyte / 4)} = 1]`, true],
    ['indexes', `[file:name${'[0]'.repeat(megabyte / 3)} = 1]`, true],
    ['a name', `[file:${'a'.repeat(megabyte)} = 1]`, false],
    ['a regular expression', `[file:name MATCHES '${'(a+)+'.repeat(megabyte / 5)}']`, true],
    [
      'groups of a regular expression',
      `[file:name MATCHES '${'('.repeat(megabyte / 2)}${')'.repeat(megabyte / 2)}']`,
      true,
    ],
    ['classes of a regular expression', `[file:name MATCHES '${'['.repeat(megabyte)}']`, false],
    ['a subset', `[ipv4-addr:value ISSUBSET '${'1.'.repeat(megabyte / 2)}']`, false],
    ['base64', `[file:content = b'${'QUJD'.repeat(megabyte / 4)}']`, true],
    ['hexadecimal digits', `[file:content = h'${'ab'.repeat(megabyte / 2)}g']`, false],
    ['a timestamp', `[file:ctime = t'2016-04-06T20:03:48.${'1'.repeat(megabyte)}Z']`, false],
    ['a hash', `[file:hashes.MD5 = '${'a'.repeat(megabyte)}']`, false],
  ])('%s', (name, pattern, isValid) => {
    const indicator = domainObject('indicator', { pattern, pattern_type: 'stix', valid_from: date });
    expect(judgeSoon(`pattern: ${name}`, indicator, 'strict').valid).toBe(isValid);
    judgeSoon(`pattern: ${name}`, indicator, 'tolerant');
  });
});

describe('very many values', () => {
  const marking = { marking_ref: `marking-definition--${uuid}` };
  const container = (objects: Values): Values =>
    domainObject('observed-data', { first_observed: date, last_observed: date, number_observed: 1, objects });
  itIsJudged([
    ['good references', count => ({ ...report, object_refs: repeat(count, `tool--${uuid}`) }), []],
    ['bad references', count => ({ ...report, object_refs: repeat(count, 'a') }), ['reference-invalid']],
    [
      'references of another type',
      count => ({ ...report, object_refs: repeat(count, `bundle--${uuid}`) }),
      ['reference-type'],
    ],
    ['numbers for references', count => ({ ...report, object_refs: repeat(count, 1) }), ['reference-invalid']],
    [
      'external references',
      count => ({ ...report, external_references: repeat(count / 2, { source_name: 'a' }) }),
      ['external-reference-incomplete'],
    ],
    ['labels that are no strings', count => ({ ...report, labels: repeat(count, 1) }), ['value-type']],
    ['nulls', count => ({ ...report, x_foo: repeat(count, null) }), ['null-value']],
    ['empty lists', count => ({ ...report, x_foo: repeat(count, []) }), ['list-empty']],
    ['empty objects', count => ({ ...report, x_foo: repeat(count, {}) }), ['dictionary-empty']],
    ['halves of surrogate pairs', count => ({ ...report, x_foo: repeat(count, '\ud800') }), ['surrogate-unpaired']],
    ['numbers that lose digits', count => ({ ...report, x_foo: repeat(count, 2 ** 53) }), ['number-out-of-range']],
    [
      'bad property names',
      count => ({ ...report, ...named(count, index => `K${index}`, 1) }),
      ['property-name-invalid'],
    ],
    [
      'properties with bad references',
      count => ({ ...report, ...named(count, index => `k${index}_ref`, 'a') }),
      ['reference-invalid'],
    ],
    [
      'bad dictionary keys',
      count => ({ ...report, x_foo: named(count, index => `k ${index}`, 1) }),
      ['dictionary-key-invalid'],
    ],
    [
      'hashes',
      count => observable('file', { hashes: named(count, index => `x ${index}`, 'a') }),
      ['dictionary-key-invalid'],
    ],
    ['more values than are looked at', () => ({ ...report, x_foo: repeat(250_001, 1) }), ['object-too-large']],
    ['far more values than are looked at', () => ({ ...report, x_foo: repeat(3_000_000, null) }), ['object-too-large']],
    [
      'selectors of nothing',
      count => ({ ...report, granular_markings: [{ ...marking, selectors: repeat(count, 'x.y') }] }),
      ['selector-unresolved'],
    ],
    [
      'selectors that are found',
      count => ({ ...report, granular_markings: [{ ...marking, selectors: repeat(count - 10, 'object_refs.[0]') }] }),
      [],
    ],
    [
      'granular markings',
      () => ({ ...report, granular_markings: repeat(10_000, { ...marking, selectors: repeat(10, 'name') }) }),
      [],
    ],
    [
      'granular markings of nothing',
      () => ({ ...report, granular_markings: repeat(10_000, { ...marking, selectors: repeat(10, 'x_foo') }) }),
      ['selector-unresolved'],
    ],
    [
      'granular markings of unknown languages',
      () => ({ ...report, granular_markings: repeat(10_000, { lang: 'zzz', selectors: ['name'] }) }),
      ['language-unknown'],
    ],
    ['extensions', () => ({ ...report, extensions: named(100_000, index => `foo-${index}-ext`, { foo: 1 }) }), []],
    [
      'extensions with bad names',
      () => ({ ...report, extensions: named(100_000, index => `foo-${index}`, { foo: 1 }) }),
      ['extension-name-invalid'],
    ],
    [
      'extensions without type',
      () => ({
        ...report,
        extensions: named(
          100_000,
          index => `extension-definition--${index.toString(16).padStart(8, '0')}${uuid.slice(8)}`,
          { foo: 1 },
        ),
      }),
      ['extension-type-missing'],
    ],
    [
      'languages of software',
      count => observable('software', { name: 'a', languages: repeat(count, 'zzz') }),
      ['language-unknown'],
    ],
    [
      'languages of contents',
      count =>
        domainObject('language-content', {
          object_ref: report.id,
          contents: named(count / 3, index => `x-${index}`, { name: 'a' }),
        }),
      [],
    ],
    [
      'observables in a container',
      count => container(named(count / 3, index => `${index}`, { type: 'mutex', name: 'a' })),
      [],
    ],
    [
      'bad observables in a container',
      count => container(named(count / 3, index => `${index}`, { type: 'mutex', name: 1 })),
      ['value-type'],
    ],
    [
      'references in a container',
      count => container({ 0: { type: 'directory', path: 'a', contains_refs: repeat(count - 20, '0') } }),
      [],
    ],
    [
      'references out of a container',
      count => container({ 0: { type: 'directory', path: 'a', contains_refs: repeat(count - 20, '1') } }),
      ['container-reference'],
    ],
    [
      'objects that are none',
      count => ({ type: 'bundle', id: `bundle--${uuid}`, objects: repeat(count, 1) }),
      ['value-type'],
    ],
    ['objects of a bundle', () => ({ type: 'bundle', id: `bundle--${uuid}`, objects: repeat(20_000, report) }), []],
    [
      'versions of one object',
      () => ({
        type: 'bundle',
        id: `bundle--${uuid}`,
        objects: Array.from({ length: 20_000 }, (_, index) => ({ ...report, name: `${index}` })),
      }),
      ['version-conflict'],
    ],
  ]);
});

describe('names that JavaScript gives a meaning', () => {
  const wild = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', '__defineGetter__'];
  // As JSON.parse does it: __proto__ becomes a property of the object's own.
  const own = (name: string, value: unknown): Values => Object.fromEntries([[name, value]]);
  const places: [string, (name: string) => unknown][] = [
    ['type', name => ({ ...report, type: name })],
    ['type and id', name => ({ ...report, type: name, id: `${name}--${uuid}` })],
    ['property', name => Object.fromEntries([...Object.entries(report), [name, 'a']])],
    ['property of an object', name => Object.fromEntries([...Object.entries(report), [name, { a: 1 }]])],
    ['extension', name => ({ ...report, extensions: own(name, { extension_type: 'property-extension' }) })],
    ['extension type', name => ({ ...report, extensions: { 'a-ext': { extension_type: name } } })],
    ['hash', name => observable('file', { hashes: own(name, 'a') })],
    [
      'key of a container',
      name =>
        domainObject('observed-data', {
          first_observed: date,
          last_observed: date,
          number_observed: 1,
          objects: own(name, { type: 'mutex', name: 'a' }),
        }),
    ],
    [
      'type in a container',
      name =>
        domainObject('observed-data', {
          first_observed: date,
          last_observed: date,
          number_observed: 1,
          objects: { 0: { type: name, foo_ref: name } },
        }),
    ],
    [
      'reference in a container',
      name =>
        domainObject('observed-data', {
          first_observed: date,
          last_observed: date,
          number_observed: 1,
          objects: { 0: { type: 'file', name: 'a', parent_directory_ref: name } },
        }),
    ],
    ['language', name => ({ ...report, lang: name })],
    [
      'language of contents',
      name => domainObject('language-content', { object_ref: report.id, contents: own(name, { name: 'a' }) }),
    ],
    [
      'selector',
      name => ({
        ...report,
        granular_markings: [{ lang: 'en', selectors: [name, `name.${name}`, `${name}.${name}`] }],
      }),
    ],
    [
      'source of an external reference',
      name => ({ ...report, external_references: [{ source_name: name, external_id: name }] }),
    ],
    [
      'definition type',
      name => observable('marking-definition', { created: date, definition_type: name, definition: own(name, 'a') }),
    ],
    ['character set', name => observable('file', { name: 'a', name_enc: name, mime_type: name })],
    ['reference', name => ({ ...report, created_by_ref: name, object_refs: [name] })],
  ];
  it.each(places)('as %s', (place, make) => {
    for (const name of wild) {
      for (const policy of policies) judgeSoon(`${name} as ${place}`, make(name), policy);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('a selector and a reference find only what the object itself has', () => {
    const marked = (selector: string): Values => ({
      ...report,
      granular_markings: [{ lang: 'en', selectors: [selector] }],
    });
    for (const selector of ['constructor', 'toString', 'name.length', 'object_refs.length', 'hasOwnProperty.name']) {
      expect(codesOf(judgeSoon(selector, marked(selector), 'tolerant'))).toEqual(['selector-unresolved']);
    }
  });
});

describe('depth', () => {
  function nest(levels: number, isList: (level: number) => boolean): unknown {
    let deep: unknown = '\ud800';
    for (let level = 0; level < levels; level += 1) deep = isList(level) ? [deep] : { x_deep: deep };
    return deep;
  }

  // Callers allow 100 levels; the judge has no recursion where the schemas say nothing.
  it.each([100, 2000])('walks down %i levels', levels => {
    const object = { ...report, x_foo: nest(levels, level => level % 2 === 0) };
    expect(codesOf(judgeSoon(`${levels} levels`, object, 'strict'))).toEqual(['surrogate-unpaired']);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a property', { [`${'/'.repeat(100_000)}_refs`]: Array(20_000).fill(5) }],
    ['a property over properties', { x_own: { ['/'.repeat(1_000_000)]: named(110, index => `a${index}`, null) } }],
    ['a hundred thousand levels', { x_own: nest(100_000, level => level % 2 === 0) }],
  ])('does not write very long names for each value under them: %s', (name, properties) => {
    expect(codesOf(judgeSoon(name, { ...report, ...properties }, 'strict'))).toContain('object-too-large');
  });

  it('walks down where schemas and rules look', () => {
    const deep = nest(100, level => level % 2 === 0);
    for (const sample of samples) {
      for (const name of Object.keys(sample)) {
        for (const policy of policies) isSane(validator.judge({ ...sample, [name]: deep }, { policy, now }));
      }
    }
  });
});

describe('every regular expression of the schemas', () => {
  const size = 16_000_000;
  // What a text begins with, what repeats in it, and how it ends where it is to match.
  const forms: [head: string, unit: string, end: string][] = [
    ['', 'a', ''],
    ['', 'a-', 'a'],
    ['a', '-a', `--${uuid}`],
    ['a', '-', ''],
    ['', '1', '::'],
    ['1:', 'a', ':'],
    ['1::', 'a', ''],
    ['CVE-2020-', '1111', ''],
    ['CAPEC-', '1', ''],
    ['.', '0', '1'],
    ['2016-04-06T20:03:48.', '1', 'Z'],
    ['', 'a.', 'a'],
    ['', 'a', '@b'],
    ['a@', 'b', ''],
    ['"', '"', '"@b'],
    ['"a"@', 'b', ''],
    ['en', '-abcde', ''],
    ['en-u', '-ab', ''],
    ['x', '-a', ''],
    ['en-a-bb', '-bb', '-x-a'],
    ['a:', '/', ''],
    ['a:', '%41', '%'],
    ['', 'A', '=A'],
    ['', 'a', 'g'],
    ['a', '.[0]', ''],
    ['a', '.a', ''],
    ['a.[0', '0', ']'],
    ['cpe:2.3:a:', 'a', `:b${':*'.repeat(8)}`],
    ['cpe:2.3:a:', '\\!', `:b${':*'.repeat(8)}`],
    ['cpe:2.3:a:', '?', `a:b${':*'.repeat(8)}`],
    ['', '\u{1f600}', ''],
    ['', ':', ''],
    ['', 'F', ''],
  ];
  const expressions = new Set<string>();
  collect([...readSchemas().values()]);

  function collect(schema: unknown): void {
    if (typeof schema !== 'object' || schema === null) return;
    const { pattern, patternProperties } = schema as Values;
    if (typeof pattern === 'string') expressions.add(pattern);
    if (patternProperties) for (const name of Object.keys(patternProperties)) expressions.add(name);
    for (const child of Object.values(schema)) collect(child);
  }

  /** Whether anything in an expression repeats without bound. */
  function isUnbounded(expression: string): boolean {
    return /[*+]|,\}/.test(expression.replaceAll(/\\./g, '').replaceAll(/\[[^\]]*\]/g, 'c'));
  }

  it('is matched by one of the forms of text, where it repeats without bound', () => {
    const unmatched = [...expressions]
      .filter(isUnbounded)
      .filter(
        expression => !forms.some(([head, unit, end]) => new RegExp(expression, 'u').test(head + unit.repeat(3) + end)),
      );
    expect(expressions.size).toBeGreaterThan(80);
    expect(unmatched).toEqual([]);
  });

  it.each(forms)('fails at the end of 16 MB of %j, %j', (head, unit) => {
    const text = Buffer.from(`${head}${unit.repeat(size / unit.length)}\n`).toString();
    for (const expression of expressions) {
      const regExp = new RegExp(expression, 'u');
      const start = performance.now();
      regExp.test(text);
      const milliseconds = performance.now() - start;
      times.push({ name: `16 MB against ${expression.slice(0, 40)}`, milliseconds });
      expect(milliseconds, expression).toBeLessThan(millisecondsMax);
    }
  });
});

describe('whatever JSON.parse gave', () => {
  /** Any text of 16-bit units, halves of surrogate pairs among them. */
  const anyText = fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 12 })
    .map(units => String.fromCharCode(...units));
  const knownNames = [...new Set(samples.flatMap(sample => Object.keys(sample)))];
  const names = fc.oneof(fc.constantFrom(...knownNames, '__proto__', 'constructor', 'toString', '', '0'), anyText);
  const known = fc.constantFrom(
    null,
    true,
    0,
    -1,
    2 ** 53,
    1.5,
    '2.1',
    'en',
    'new-sdo',
    'name.[0]',
    report.id,
    date,
    'file',
  );
  const { anyJson } = fc.letrec(tie => ({
    anyJson: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      known,
      anyText,
      fc.array(tie('anyJson'), { maxLength: 4 }),
      fc.array(fc.tuple(names, tie('anyJson')), { maxLength: 6 }).map(entries => Object.fromEntries(entries)),
    ),
  }));

  it('is judged', () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(...policies), (value, policy) =>
        isSane(validator.judge(value, { policy, now })),
      ),
      { numRuns: 3000 },
    );
  });

  it('is judged where a value has members that a conversion to text or number would call', () => {
    const uncallable = { toString: [], valueOf: 1, toJSON: {}, constructor: null, length: -1 };
    for (const sample of [...samples, ...tlpSamples]) {
      for (const path of placesOf(sample)) {
        for (const policy of policies) {
          isSane(validator.judge(withValue(sample, path, uncallable), { policy, now }));
          isSane(validator.judge(withValue(sample, path, [uncallable]), { policy, now }));
        }
      }
    }
  });

  function placesOf(sample: Values): Path[] {
    const places: Path[] = Object.keys(sample).map(name => [name]);
    for (const path of places) {
      const value = valueAt(sample, path);
      if (typeof value === 'object' && value !== null) places.push(...Object.keys(value).map(name => [...path, name]));
    }
    return places;
  }

  it('is judged in the properties of an object, and no path has two problems', () => {
    const changes = fc.array(fc.tuple(names, anyJson), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...samples), changes, fc.constantFrom(...policies), (sample, entries, policy) => {
        const judgement = validator.judge({ ...sample, ...Object.fromEntries(entries) }, { policy, now });
        isSane(judgement);
        // Two keys can look alike once what cannot be printed is replaced.
        const paths = [...judgement.errors, ...judgement.warnings].map(({ path }) => path);
        const readable = paths.filter(path => !path.includes('\ufffd'));
        expect(new Set(readable).size).toBe(readable.length);
      }),
      { numRuns: 10_000 },
    );
  });
});
