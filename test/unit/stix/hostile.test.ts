import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createValidator, describeProblems, type Judgement } from '../../../src/stix/validate.ts';

const validator = createValidator();
const now = new Date('2026-06-01T12:00:00Z');
const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const base: Record<string, unknown> = {
  type: 'report',
  spec_version: '2.1',
  id: `report--${uuid}`,
  created: '2016-04-06T20:03:48.000Z',
  modified: '2016-04-06T20:03:48.000Z',
  name: 'A report',
  published: '2016-04-06T20:03:48Z',
  object_refs: [`tool--${uuid}`],
  pattern: 'a',
  pattern_type: 'yara',
  valid_from: '2016-04-06T20:03:48Z',
};
const count = 200_000;
const megabytes = 4_000_000;

function codesOf(judgement: Judgement): string[] {
  return judgement.valid ? [] : judgement.problems.map(({ code }) => code);
}

/** Any text of 16-bit units, halves of surrogate pairs among them. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 12 })
  .map(units => String.fromCharCode(...units));
const propertyNames = fc.constantFrom(
  ...Object.keys(base),
  ...['created_by_ref', 'labels', 'confidence', 'lang', 'external_references', 'object_marking_refs', 'revoked'],
  ...[
    'granular_markings',
    'extensions',
    'selectors',
    'marking_ref',
    'hashes',
    'url',
    'source_name',
    'kill_chain_phases',
  ],
  ...['defanged', 'severity', 'x_foo', '__proto__', 'constructor', 'toString', '', '0', 'extension_type'],
);
const typeNames = fc.constantFrom('indicator', 'report', 'tool', 'ipv4-addr', 'marking-definition', 'x-foo', 'bundle');
const { anyJson } = fc.letrec(tie => ({
  anyJson: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom(
      null,
      true,
      0,
      -1,
      2 ** 53,
      Number.POSITIVE_INFINITY,
      1.5,
      `tool--${uuid}`,
      '2016-02-30T00:00:00Z',
      'en',
    ),
    fc.constantFrom('labels.[0]', 'object_refs', 'new-sdo', '2.1', 'a.b.c'),
    anyText,
    typeNames,
    fc.array(tie('anyJson'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(propertyNames, anyText), tie('anyJson')), { maxLength: 6 })
      // As JSON.parse does it: __proto__ becomes a property of the object's own.
      .map(entries => Object.fromEntries(entries)),
  ),
}));

describe('judging never throws', () => {
  it('whatever JSON.parse gave', () => {
    fc.assert(
      fc.property(anyJson, value => {
        const judgement = validator.judge(value, { now });
        expect(judgement.valid || describeProblems(judgement.problems)).not.toBe('');
      }),
      { numRuns: 5000 },
    );
  });

  it('whatever stands in the properties of an object, and what it says is Unicode text in one line', () => {
    const changes = fc.array(fc.tuple(fc.oneof(propertyNames, anyText), anyJson), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(typeNames, changes, (type, entries) => {
        const object = { ...base, type, id: `${type}--${uuid}`, ...Object.fromEntries(entries) };
        const judgement = validator.judge(object, { now });
        if (judgement.valid) return;
        const said = `${judgement.id} ${judgement.version} ${describeProblems(judgement.problems)}`;
        expect(said).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        // Two keys can look alike once what cannot be printed is replaced.
        const paths = judgement.problems.map(({ path }) => path).filter(path => !path.includes('\ufffd'));
        expect(new Set(paths).size).toBe(paths.length);
        for (const problem of judgement.problems) {
          expect(problem).toMatchObject({ section: expect.stringMatching(/^(STIX|TAXII) 2\.1 §\d/) });
          expect(problem.message).not.toMatch(/undefined|^$/);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('very many values', () => {
  it.each<[string, unknown, string]>([
    ['bad references', { object_refs: Array(count).fill(1) }, 'identifier-invalid'],
    [
      'bad external references',
      { external_references: Array(count).fill({ source_name: 'a' }) },
      'external-reference-incomplete',
    ],
    ['bad names', Object.fromEntries(Array.from({ length: count }, (_, n) => [`K${n}`, 1])), 'property-name-invalid'],
    [
      'selectors of nothing',
      { granular_markings: [{ lang: 'en', selectors: Array(count).fill('x.y') }] },
      'selector-unresolved',
    ],
    ['nulls', { x_foo: Array(count).fill(null) }, 'null-value'],
    [
      'nulls, and then a wrong date,',
      { x_foo: Array(count).fill(null), modified: '2015-01-01T00:00:00.000Z' },
      'null-value',
    ],
    ['empty lists', { x_foo: Array(count).fill([]) }, 'list-empty'],
    ['surrogates', { x_foo: Array(count).fill('\ud800') }, 'surrogate-unpaired'],
    ['some bad references, few enough to list', { object_refs: Array(4000).fill(1) }, 'identifier-invalid'],
  ])('%s give at most 100 problems, soon', (_, changes, code) => {
    const object = { ...base, ...(changes as object) };
    const before = process.cpuUsage();
    const codes = codesOf(validator.judge(object, { now }));
    // Some tenths of a second; minutes, were it quadratic. CPU time, since other tests run beside this one.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000);
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.length).toBeLessThanOrEqual(100);
    expect(new Set(codes)).toEqual(new Set([code]));
  });

  it('takes as many good ones', () => {
    expect(codesOf(validator.judge({ ...base, object_refs: Array(count).fill(`tool--${uuid}`) }, { now }))).toEqual([]);
  });
});

describe('very long texts', () => {
  it.each<[string, unknown, string[]]>([
    ['id', { id: 'a-'.repeat(megabytes) }, ['identifier-invalid']],
    ['type', { type: 'a-'.repeat(megabytes) }, ['type-name-invalid']],
    ['created', { created: `2016-04-06T20:03:47.${'1'.repeat(megabytes)}Z` }, ['timestamp-invalid']],
    ['lang', { lang: 'en-'.repeat(megabytes) }, ['language-tag-invalid']],
    ['url', { external_references: [{ source_name: 'a', url: `a:${'%41'.repeat(megabytes)}%` }] }, ['url-invalid']],
    ['selector', { granular_markings: [{ lang: 'en', selectors: ['a.'.repeat(megabytes)] }] }, ['selector-invalid']],
    ['extension name', { extensions: { ['a-'.repeat(megabytes)]: { a: 1 } } }, ['extension-name-invalid']],
    ['pattern', { pattern: '\u00e9\u{1f600}'.repeat(megabytes) }, []],
  ])('%s', (_, changes, codes) => {
    const judgement = validator.judge({ ...base, ...(changes as object) }, { now });
    expect(codesOf(judgement)).toEqual(codes);
    expect(judgement.valid || describeProblems(judgement.problems).length < 1000).toBe(true);
  });
});

it('walks down 100,000 levels', () => {
  let deep: unknown = '\ud800';
  for (let level = 0; level < 100_000; level += 1) deep = level % 2 ? [deep] : { x_deep: deep };
  expect(codesOf(validator.judge({ ...base, x_foo: deep }, { now }))).toEqual(['surrogate-unpaired']);
});
