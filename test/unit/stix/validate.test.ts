import { describe, expect, it } from 'vitest';
import { createValidator, describeProblems, type Policy, type Problem } from '../../../src/stix/validate.ts';

type StixRecord = Record<string, unknown>;

const validator = createValidator();
const now = new Date('2026-06-01T12:00:00Z');
const uuid = '8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f';
const marking = 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da';
const definition = 'extension-definition--d83fce45-ef58-4c6c-a3f4-1fbc32e98c6e';

const indicator: StixRecord = {
  type: 'indicator',
  spec_version: '2.1',
  id: `indicator--${uuid}`,
  created_by_ref: 'identity--f431f809-377b-45e0-aa1c-6a4751cae5ff',
  created: '2016-04-06T20:03:48.000Z',
  modified: '2016-04-06T20:03:48.123456789Z',
  revoked: false,
  labels: ['infostealer', ''],
  confidence: 80,
  lang: 'en',
  external_references: [
    {
      source_name: 'ACME',
      description: 'A report',
      url: 'https://example.com/a%20b?c=(d)#e',
      external_id: '17',
      hashes: { 'SHA-256': '6db12788c37247f2316052e142f42f4b259d6561751e5f401a1ae2a6df9c674b', x_foo_hash: 'aaaa' },
    },
  ],
  object_marking_refs: [marking],
  granular_markings: [
    { lang: 'de', selectors: ['description'] },
    { marking_ref: marking, selectors: ['labels.[0]', 'external_references.[0].hashes.SHA-256', 'labels'] },
  ],
  extensions: { [definition]: { extension_type: 'property-extension', rank: 5 }, 'x-example-ext': { foo: 1 } },
  name: 'Poison Ivy',
  description: '',
  indicator_types: ['malicious-activity', 'Of my own'],
  pattern: "[file:name = 'a\u0000b']",
  pattern_type: 'stix',
  pattern_version: '2.1',
  valid_from: '2016-04-06T20:03:48Z',
  valid_until: '2016-04-06T20:03:48.1Z',
  kill_chain_phases: [{ kill_chain_name: 'foo', phase_name: 'pre-attack' }],
  x_example_com_scoring: { impact: 'high', weights: [1.5, 0, -1] },
};

const report: StixRecord = {
  type: 'report',
  spec_version: '2.1',
  id: `report--${uuid}`,
  created: '2015-12-21T19:59:11.000Z',
  modified: '2016-05-21T08:17:27.000Z',
  name: '',
  description: 'A report',
  report_types: ['campaign'],
  published: '2016-05-21T19:59:11Z',
  object_refs: [`indicator--${uuid}`, `x-custom--${uuid}`, `indicator--${uuid}`],
};

function judgementOf(value: unknown, policy: Policy = 'strict'): ReturnType<typeof validator.judge> {
  return validator.judge(JSON.parse(JSON.stringify(value)), { policy, now });
}

function problemsOf(value: unknown, policy: Policy = 'strict'): Problem[] {
  const { errors, warnings } = judgementOf(value, policy);
  return [...errors, ...warnings];
}

/** `code path section` of each problem. */
function briefly(value: unknown, policy: Policy = 'strict'): string[] {
  return problemsOf(value, policy).map(({ code, path, section }) => `${code} ${path} ${section}`);
}

function without(object: StixRecord, name: string): StixRecord {
  const { [name]: _, ...rest } = object;
  return rest;
}

describe('a valid object', () => {
  it.each<Policy>(['strict', 'tolerant'])('is left as it is, and named with its version (%s)', policy => {
    const value = structuredClone(indicator);
    expect(validator.judge(value, { policy, now })).toEqual({
      valid: true,
      object: {
        id: indicator.id,
        type: 'indicator',
        specVersion: '2.1',
        version: '2016-04-06T20:03:48.123456789Z',
      },
      errors: [],
      warnings: [],
    });
    expect(value).toEqual(indicator);
  });

  it.each<[string, unknown]>([
    ['a report', report],
    ['a minimal report', without(without(report, 'description'), 'report_types')],
    ['an indicator with a NUL in it', { ...indicator, description: 'a\u0000b' }],
    [
      'a custom property that the standard has elsewhere',
      { ...indicator, phone_numbers: ['1'], first_seen: 'yesterday' },
    ],
    ['a name of 250 characters', { ...indicator, [`x${'_'.repeat(249)}`]: 1 }],
    ['the largest and smallest integers', { ...indicator, x_max: 9007199254740991, x_min: -9007199254740991 }],
    ['the end of a leap second', { ...indicator, valid_until: '2016-12-31T23:59:60Z' }],
    ['dates up to a minute ahead', { ...indicator, modified: '2026-06-01T12:01:00.000Z' }],
    ['valid_from and published in the future', { ...report, published: '2999-01-01T00:00:00Z' }],
    ['confidence of 0', { ...indicator, confidence: 0 }],
    ['confidence of 100', { ...indicator, confidence: 100 }],
  ])('%s', (_, value) => {
    expect(briefly(value)).toEqual([]);
  });

  it.each([
    'en',
    'de-CH',
    'zh-Hant-TW',
    'sl-rozaj-biske',
    'de-1996',
    'en-u-ca-buddhist-x-c',
    'x-whatever',
    'i-klingon',
  ])('lang %s', lang => {
    expect(briefly({ ...indicator, lang })).toEqual([]);
  });
});

describe('what is no object of an envelope', () => {
  it.each([null, 1, 'indicator', true, [], [indicator]])('%j', value => {
    expect(validator.judge(value, { policy: 'strict', now })).toMatchObject({
      valid: false,
      id: 'unknown',
      version: 'unknown',
    });
    expect(briefly(value)).toEqual(['object-expected  TAXII 2.1 §3.7']);
  });

  it('a bundle', () => {
    const bundle = { type: 'bundle', id: `bundle--${uuid}`, objects: [indicator] };
    expect(judgementOf(bundle)).toMatchObject({ valid: false, id: bundle.id, version: 'unknown' });
    expect(describeProblems(problemsOf(bundle))).toBe(
      '/type is a bundle: put the objects that it holds in its place (TAXII 2.1 §3.7, bundle-in-envelope)',
    );
  });
});

describe('the name of a refused object', () => {
  it.each<[string, StixRecord, string, string]>([
    ['id and modified', { created: '2016-01-01T00:00:00.000Z' }, indicator.id as string, indicator.modified as string],
    ['created where modified is missing', { modified: undefined }, indicator.id as string, indicator.created as string],
    ['created where modified is no timestamp', { modified: 'x' }, indicator.id as string, indicator.created as string],
    ['an id that is not one', { id: 'indicator--17' }, 'indicator--17', indicator.modified as string],
    ['no id', { id: undefined }, 'unknown', indicator.modified as string],
    ['an id that is no text', { id: [`indicator--${uuid}`] }, 'unknown', indicator.modified as string],
    ['an id that is too long', { id: 'a'.repeat(289) }, 'unknown', indicator.modified as string],
    ['an id with a line break', { id: 'a\nb' }, 'unknown', indicator.modified as string],
    ['no dates', { created: 1, modified: {} }, indicator.id as string, 'unknown'],
  ])('%s', (_, changes, id, version) => {
    expect(judgementOf({ ...indicator, pattern: 1, ...changes })).toMatchObject({ valid: false, id, version });
  });
});

describe('every object', () => {
  const tool: StixRecord = {
    type: 'tool',
    spec_version: '2.1',
    id: `tool--${uuid}`,
    created: '2016-04-06T20:03:48.000Z',
    modified: '2016-04-06T20:03:48.000Z',
    name: 'Poison',
  };
  const markingDefinition = {
    ...without(tool, 'modified'),
    type: 'marking-definition',
    id: `marking-definition--${uuid}`,
    definition_type: 'statement',
    definition: { statement: 'a' },
  };
  const address: StixRecord = { type: 'ipv4-addr', id: `ipv4-addr--${uuid}`, value: '192.0.2.1' };
  const custom = { ...tool, type: 'x-foo', id: `x-foo--${uuid}` };
  const undated: StixRecord = { type: 'x-foo', id: `x-foo--${uuid}` };
  const declared = (extension_type: string): StixRecord => ({ extensions: { [definition]: { extension_type } } });

  it.each([tool, indicator, custom])('modified before created, even by less than a nanosecond: $type', object => {
    const early = { ...object, created: '2016-04-06T20:03:48.0000000001Z', modified: '2016-04-06T20:03:48.000Z' };
    expect(briefly(early)).toEqual(['modified-order /modified STIX 2.1 §3.6.1']);
    // Real data has it.
    expect(judgementOf(early, 'tolerant')).toMatchObject({ valid: true, warnings: [{ code: 'modified-order' }] });
  });

  it('a fraction of more than 100 digits is no timestamp', () => {
    expect(judgementOf({ ...tool, modified: `2026-01-01T00:00:00.${'1'.repeat(100)}Z` })).toMatchObject({
      valid: true,
    });
    expect(briefly({ ...tool, modified: `2026-01-01T00:00:00.${'1'.repeat(101)}Z` })).toEqual([
      'timestamp-invalid /modified STIX 2.1 §2.16.1',
    ]);
  });

  it.each<[string, unknown]>([
    ['a domain object', tool],
    [
      'the same instant written twice',
      { ...tool, created: '2016-04-06T20:03:48.1200Z', modified: '2016-04-06T20:03:48.120Z' },
    ],
    ['a marking definition', markingDefinition],
    ['an observable', address],
    ['an observable with a version', { ...address, ...without(tool, 'type'), id: address.id }],
    ['an observable with created only', { ...address, created: tool.created }],
    ['a custom object', custom],
    ['a custom object without dates', undated],
    ['a custom object without dates, with spec_version', { ...undated, spec_version: '2.1' }],
    ['a custom observable with a date', { ...undated, created: tool.created, ...declared('new-sco') }],
    ['a type that ends with a hyphen', { type: 'x-foo-', id: `x-foo---${uuid}` }],
  ])('takes %s', (_, value) => {
    expect(briefly(value)).toEqual([]);
  });

  it.each<[string, StixRecord, string]>([
    ['without modified', without(tool, 'modified'), tool.created as string],
    [
      'with dates to the second',
      { ...tool, created: '2016-04-06T20:03:48Z', modified: '2016-04-06T20:03:49Z' },
      '2016-04-06T20:03:49Z',
    ],
    [
      'with the id that MISP gives where it has none',
      { ...tool, id: 'tool--22222222-2222-2222-2222-222222222222' },
      tool.modified as string,
    ],
  ])('tolerates an object %s, and says which version it is', (_, object, version) => {
    expect(judgementOf(object)).toMatchObject({ valid: false, id: object.id, version });
    expect(judgementOf(object, 'tolerant')).toMatchObject({ valid: true, object: { id: object.id, version } });
  });

  it.each([
    'attack-pattern',
    'campaign',
    'course-of-action',
    'grouping',
    'identity',
    'incident',
    'infrastructure',
    'intrusion-set',
    'location',
    'malware',
    'malware-analysis',
    'note',
    'observed-data',
    'opinion',
    'threat-actor',
    'tool',
    'vulnerability',
    'relationship',
    'sighting',
    'language-content',
    'extension-definition',
  ])('%s needs spec_version, created and modified', type => {
    expect(briefly({ type, id: `${type}--${uuid}` })).toEqual(
      expect.arrayContaining([
        'spec-version-unsupported /spec_version STIX 2.1 §3.2',
        'property-missing /created STIX 2.1 §3.2',
        'modified-missing /modified STIX 2.1 §3.2',
      ]),
    );
  });

  it.each([
    'artifact',
    'autonomous-system',
    'directory',
    'domain-name',
    'email-addr',
    'email-message',
    'file',
    'ipv4-addr',
    'ipv6-addr',
    'mac-addr',
    'mutex',
    'network-traffic',
    'process',
    'software',
    'url',
    'user-account',
    'windows-registry-key',
    'x509-certificate',
  ])('%s needs no date, and no spec_version', type => {
    const common = /\/(?:spec_version|created|modified) /;
    const bare = { type, id: `${type}--${uuid}` };
    expect(briefly({ ...bare, modified: tool.modified }).filter(problem => common.test(problem))).toEqual([]);
    expect(briefly({ ...bare, ...declared('new-sdo') }).filter(problem => common.test(problem))).toEqual([]);
  });

  it.each<[string, unknown, string[]]>([
    ['no type', without(tool, 'type'), ['property-missing /type STIX 2.1 §3.2']],
    ['type that is no text', { ...tool, type: 7 }, ['value-type /type STIX 2.1 §3.2']],
    ['type in capitals', { ...tool, type: 'Tool' }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['type with an underscore', { ...tool, type: 'to_ol' }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['type with two hyphens', { ...tool, type: 'x--foo' }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['type beginning with a digit', { ...tool, type: '3com' }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['type of two characters', { ...tool, type: 'ab' }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['type of 251 characters', { ...tool, type: 'a'.repeat(251) }, ['type-name-invalid /type STIX 2.1 §3.1']],
    ['no id', without(tool, 'id'), ['property-missing /id STIX 2.1 §3.2']],
    ['an id that is none', { ...tool, id: 'tool--1' }, ['identifier-invalid /id STIX 2.1 §2.9']],
    ['an id that is no text', { ...tool, id: 7 }, ['value-type /id STIX 2.1 §4.18.1']],
    ['an id of another type', { ...tool, id: `malware--${uuid}` }, ['id-type-mismatch /id STIX 2.1 §2.9']],
    ['an id of a longer type', { ...tool, id: `tool-x--${uuid}` }, ['id-type-mismatch /id STIX 2.1 §2.9']],
    ['an observable id of another type', { ...address, id: `url--${uuid}` }, ['id-type-mismatch /id STIX 2.1 §2.9']],
    ['STIX 2.0', { ...tool, spec_version: '2.0' }, ['spec-version-unsupported /spec_version STIX 2.1 §3.2']],
    ['STIX 2.0 by its look', without(tool, 'spec_version'), ['spec-version-unsupported /spec_version STIX 2.1 §3.2']],
    [
      'a number as spec_version',
      { ...tool, spec_version: 2.1 },
      ['spec-version-unsupported /spec_version STIX 2.1 §3.2'],
    ],
    [
      'an observable of STIX 2.2',
      { ...address, spec_version: '2.2' },
      ['spec-version-unsupported /spec_version STIX 2.1 §3.2'],
    ],
    ['no created', without(tool, 'created'), ['property-missing /created STIX 2.1 §3.2']],
    ['no modified', without(tool, 'modified'), ['modified-missing /modified STIX 2.1 §3.2']],
    [
      'created with an offset',
      { ...tool, created: '2016-04-06T20:03:48.000+02:00' },
      ['timestamp-invalid /created STIX 2.1 §2.16.1'],
    ],
    [
      'created on 30 February',
      { ...tool, created: '2016-02-30T20:03:48.000Z' },
      ['timestamp-invalid /created STIX 2.1 §2.16.1'],
    ],
    ['modified that is no text', { ...tool, modified: 1459972800 }, ['value-type /modified STIX 2.1 §3.2']],
    ['an observable with a bad date', { ...address, created: 'x' }, ['timestamp-invalid /created STIX 2.1 §2.16.1']],
    [
      'a date over a minute ahead',
      { ...tool, modified: '2026-06-01T12:01:00.000001Z' },
      ['timestamp-in-future /modified Taxiway'],
    ],
    [
      'both dates far ahead',
      { ...tool, created: '2999-01-01T00:00:00.000Z', modified: '2999-01-01T00:00:00.000Z' },
      ['timestamp-in-future /created Taxiway', 'timestamp-in-future /modified Taxiway'],
    ],
    [
      'a marking definition with modified',
      { ...markingDefinition, modified: tool.modified },
      ['property-not-applicable /modified STIX 2.1 §7.2.1'],
    ],
    [
      'a marking definition without created',
      without(markingDefinition, 'created'),
      ['property-missing /created STIX 2.1 §7.2.1'],
    ],
    [
      'a marking definition of STIX 2.0',
      without(markingDefinition, 'spec_version'),
      ['spec-version-unsupported /spec_version STIX 2.1 §3.2'],
    ],
    ['a custom object without created', without(custom, 'created'), ['property-missing /created STIX 2.1 §3.2']],
    ['a custom object without modified', without(custom, 'modified'), ['modified-missing /modified STIX 2.1 §3.2']],
    [
      'a custom object of STIX 2.0',
      without(custom, 'spec_version'),
      ['spec-version-unsupported /spec_version STIX 2.1 §3.2'],
    ],
    [
      'a custom domain object without dates',
      { ...undated, spec_version: '2.1', ...declared('new-sdo') },
      ['property-missing /created STIX 2.1 §3.2', 'modified-missing /modified STIX 2.1 §3.2'],
    ],
    [
      'a custom relationship without dates',
      { ...undated, spec_version: '2.1', ...declared('new-sro') },
      ['property-missing /created STIX 2.1 §3.2', 'modified-missing /modified STIX 2.1 §3.2'],
    ],
  ])('refuses %s', (_, value, expected) => {
    expect(briefly(value)).toEqual(expected);
  });

  it('holds dates against another clock skew where one is given', () => {
    const strict = createValidator({ clockSkewMs: 0 });
    const ahead = { ...tool, modified: '2026-06-01T12:00:00.001Z' };
    expect(validator.judge(ahead, { policy: 'strict', now }).valid).toBe(true);
    expect(strict.judge(ahead, { policy: 'strict', now }).valid).toBe(false);
    expect(strict.judge({ ...tool, modified: '2026-06-01T12:00:00.000Z' }, { policy: 'strict', now }).valid).toBe(true);
  });
});

describe('every value, however deep', () => {
  const note = (contents: string): unknown =>
    JSON.parse(
      `{"type":"x-note","id":"x-note--${uuid}","deep":[{"a/b~c":${contents}}],"name":"\\ud83d\\ude00 \\u0000 \\uffff"}`,
    );

  it.each<[string, string, string]>([
    ['an integer of 54 bits', '9007199254740992', 'number-out-of-range /deep/0/a~1b~0c STIX 2.1 §2.10'],
    ['a negative one', '-9007199254740992', 'number-out-of-range /deep/0/a~1b~0c STIX 2.1 §2.10'],
    ['an integer in scientific notation', '1e300', 'number-out-of-range /deep/0/a~1b~0c STIX 2.1 §2.10'],
    ['a number beyond all doubles', '1e999', 'number-out-of-range /deep/0/a~1b~0c STIX 2.1 §2.10'],
    ['a high surrogate', '"a\\ud800b"', 'surrogate-unpaired /deep/0/a~1b~0c STIX 2.1 §2.15'],
    ['a low surrogate', '"\\udc00"', 'surrogate-unpaired /deep/0/a~1b~0c STIX 2.1 §2.15'],
    ['a reversed pair', '"\\ude00\\ud83d"', 'surrogate-unpaired /deep/0/a~1b~0c STIX 2.1 §2.15'],
    ['a surrogate in a key', '{"\\udfff":1}', 'surrogate-unpaired /deep/0/a~1b~0c/\ufffd STIX 2.1 §2.15'],
    [
      'a property that changes a prototype',
      '{"__proto__":1}',
      'proto-property /deep/0/a~1b~0c/__proto__ STIX 2.1 §3.1',
    ],
  ])('refuses %s', (_, contents, expected) => {
    // A key with a slash in it is tolerated, and in the path it is escaped.
    const judgement = validator.judge(note(contents), { policy: 'tolerant', now });
    expect(judgement.errors.map(({ code, path, section }) => `${code} ${path} ${section}`)).toEqual([expected]);
  });

  it.each(['9007199254740991', '0.1', '1e-400', '"\\u0000"', '""', '[[0]]', '{"constructor":1,"toString":false}'])(
    'takes %s',
    contents => {
      expect(validator.judge(note(contents), { policy: 'tolerant', now })).toMatchObject({ valid: true });
    },
  );

  it('refuses __proto__ at the top too', () => {
    const value = JSON.parse(`{"type":"x-note","id":"x-note--${uuid}","__proto__":{"created":"x"}}`);
    expect(validator.judge(value, { policy: 'strict', now })).toMatchObject({
      valid: false,
      errors: [{ code: 'proto-property' }],
    });
  });
});

describe('indicator (STIX 2.1 §4.7.1)', () => {
  it.each<[string, string]>([
    ['pattern', 'STIX 2.1 §4.7.1'],
    ['pattern_type', 'STIX 2.1 §4.7.1'],
    ['valid_from', 'STIX 2.1 §4.7.1'],
    ['created', 'STIX 2.1 §3.2'],
    ['id', 'STIX 2.1 §3.2'],
  ])('needs %s', (name, section) => {
    expect(briefly(without(indicator, name))).toEqual([`property-missing /${name} ${section}`]);
  });

  it.each([
    'created_by_ref',
    'revoked',
    'labels',
    'confidence',
    'lang',
    'external_references',
    'object_marking_refs',
    'extensions',
    'name',
    'description',
    'indicator_types',
    'pattern_version',
    'valid_until',
    'kill_chain_phases',
  ])('does not need %s', name => {
    expect(
      briefly({ ...without(indicator, name), granular_markings: [{ lang: 'de', selectors: ['pattern'] }] }),
    ).toEqual([]);
  });

  it.each<[StixRecord, string]>([
    [{ pattern: '' }, 'pattern-syntax /pattern STIX 2.1 §9'],
    [{ pattern: ['a'] }, 'value-type /pattern STIX 2.1 §4.7.1'],
    [{ pattern_type: 1 }, 'value-type /pattern_type STIX 2.1 §4.7.1'],
    [{ pattern_version: 2.1 }, 'value-type /pattern_version STIX 2.1 §4.7.1'],
    [{ name: 1 }, 'value-type /name STIX 2.1 §4.7.1'],
    [{ description: {} }, 'value-type /description STIX 2.1 §4.7.1'],
    [{ indicator_types: 'malicious-activity' }, 'value-type /indicator_types STIX 2.1 §4.7.1'],
    [{ indicator_types: [1] }, 'value-type /indicator_types/0 STIX 2.1 §4.7.1'],
    [{ indicator_types: [] }, 'list-empty /indicator_types STIX 2.1 §2.12'],
    [{ valid_from: '2016-04-06' }, 'timestamp-invalid /valid_from STIX 2.1 §2.16.1'],
    [{ valid_until: '2016-04-31T00:00:00Z' }, 'timestamp-invalid /valid_until STIX 2.1 §2.16.1'],
    [{ valid_until: '2016-04-06T20:03:48.000Z' }, 'valid-until-order /valid_until STIX 2.1 §4.7.1'],
    [{ valid_until: '2016-04-06T20:03:47.999Z' }, 'valid-until-order /valid_until STIX 2.1 §4.7.1'],
    [{ kill_chain_phases: {} }, 'value-type /kill_chain_phases STIX 2.1 §4.7.1'],
    [{ kill_chain_phases: ['foo'] }, 'value-type /kill_chain_phases/0 STIX 2.1 §2.11'],
    [
      { kill_chain_phases: [{ phase_name: 'a' }] },
      'property-missing /kill_chain_phases/0/kill_chain_name STIX 2.1 §2.11',
    ],
    [
      { kill_chain_phases: [{ kill_chain_name: 'a' }] },
      'property-missing /kill_chain_phases/0/phase_name STIX 2.1 §2.11',
    ],
    [
      { kill_chain_phases: [{ kill_chain_name: 'a', phase_name: 1 }] },
      'value-type /kill_chain_phases/0/phase_name STIX 2.1 §2.11',
    ],
  ])('refuses %j', (changes, expected) => {
    expect(briefly({ ...indicator, ...changes })).toEqual([expected]);
  });
});

describe('report (STIX 2.1 §4.16.1)', () => {
  it.each(['name', 'published', 'object_refs'])('needs %s', name => {
    expect(briefly(without(report, name))).toEqual([`property-missing /${name} STIX 2.1 §4.16.1`]);
  });

  it.each<[StixRecord, string]>([
    [{ name: 1 }, 'value-type /name STIX 2.1 §4.16.1'],
    [{ description: 1 }, 'value-type /description STIX 2.1 §4.16.1'],
    [{ report_types: [] }, 'list-empty /report_types STIX 2.1 §2.12'],
    [{ report_types: [null] }, 'null-value /report_types/0 STIX 2.1 §2'],
    [{ published: '2016-05-21' }, 'timestamp-invalid /published STIX 2.1 §2.16.1'],
    [{ object_refs: [] }, 'list-empty /object_refs STIX 2.1 §2.12'],
    [{ object_refs: `indicator--${uuid}` }, 'value-type /object_refs STIX 2.1 §4.16.1'],
    [{ object_refs: ['indicator'] }, 'identifier-invalid /object_refs/0 STIX 2.1 §2.9'],
    [{ object_refs: [`tool--${uuid}`, { id: 1 }] }, 'value-type /object_refs/1 STIX 2.1 §4.16.1'],
    [{ object_refs: [`bundle--${uuid}`] }, 'reference-type /object_refs/0 STIX 2.1 §4.16.1'],
  ])('refuses %j', (changes, expected) => {
    expect(briefly({ ...report, ...changes })).toEqual([expected]);
  });
});

describe('common properties (STIX 2.1 §3.2)', () => {
  const reference = { source_name: 'ACME', external_id: '17' };
  const hashes = (values: StixRecord): StixRecord => ({ external_references: [{ ...reference, hashes: values }] });
  const markings = (changes: StixRecord): StixRecord => ({
    granular_markings: [{ marking_ref: marking, selectors: ['pattern'], ...changes }],
  });

  // What others refer to is dropped, so that only the change can be wrong.
  const bare = without(without(indicator, 'granular_markings'), 'extensions');

  it.each<[StixRecord, string]>([
    [{ created: '2016-04-06T20:03:48.00Z' }, 'timestamp-too-coarse /created STIX 2.1 §3.2'],
    [{ modified: '2016-04-06T20:03:49Z' }, 'timestamp-too-coarse /modified STIX 2.1 §3.2'],
    [{ created_by_ref: 'ACME' }, 'identifier-invalid /created_by_ref STIX 2.1 §2.9'],
    [{ created_by_ref: `tool--${uuid}` }, 'reference-type /created_by_ref STIX 2.1 §3.2'],
    [{ revoked: 'true' }, 'value-type /revoked STIX 2.1 §3.2'],
    [{ labels: [] }, 'list-empty /labels STIX 2.1 §2.12'],
    [{ labels: 'a' }, 'value-type /labels STIX 2.1 §3.2'],
    [{ labels: ['a', 1] }, 'value-type /labels/1 STIX 2.1 §3.2'],
    [{ labels: null }, 'null-value /labels STIX 2.1 §2'],
    [{ confidence: -1 }, 'value-out-of-range /confidence STIX 2.1 §3.2'],
    [{ confidence: 101 }, 'value-out-of-range /confidence STIX 2.1 §3.2'],
    [{ confidence: 50.5 }, 'value-type /confidence STIX 2.1 §3.2'],
    [{ confidence: '50' }, 'value-type /confidence STIX 2.1 §3.2'],
    [{ lang: '' }, 'language-tag-invalid /lang STIX 2.1 §3.2'],
    [{ lang: 'e' }, 'language-tag-invalid /lang STIX 2.1 §3.2'],
    [{ lang: 'en_US' }, 'language-tag-invalid /lang STIX 2.1 §3.2'],
    [{ lang: 'en-' }, 'language-tag-invalid /lang STIX 2.1 §3.2'],
    [{ lang: 'en-US-US' }, 'language-tag-invalid /lang STIX 2.1 §3.2'],
    [{ lang: ['en'] }, 'value-type /lang STIX 2.1 §3.2'],
    [{ external_references: [] }, 'list-empty /external_references STIX 2.1 §2.12'],
    [{ external_references: 'x' }, 'value-type /external_references STIX 2.1 §3.2'],
    [{ external_references: ['x'] }, 'value-type /external_references/0 STIX 2.1 §2.5.1'],
    [
      { external_references: [{ external_id: 'a' }] },
      'property-missing /external_references/0/source_name STIX 2.1 §2.5.1',
    ],
    [
      { external_references: [{ source_name: 'a' }] },
      'external-reference-incomplete /external_references/0 STIX 2.1 §2.5.2',
    ],
    [
      { external_references: [reference, { ...reference, description: 1 }] },
      'value-type /external_references/1/description STIX 2.1 §2.5.1',
    ],
    [
      { external_references: [{ ...reference, url: 'www.example.com' }] },
      'url-invalid /external_references/0/url STIX 2.1 §2.5.1',
    ],
    [
      { external_references: [{ ...reference, url: 'http://a.example/b ' }] },
      'url-invalid /external_references/0/url STIX 2.1 §2.5.1',
    ],
    [
      { external_references: [{ ...reference, url: 'http://a.example/–' }] },
      'url-invalid /external_references/0/url STIX 2.1 §2.5.1',
    ],
    [
      { external_references: [{ ...reference, url: 'http://a.example/%4' }] },
      'url-invalid /external_references/0/url STIX 2.1 §2.5.1',
    ],
    [hashes({}), 'dictionary-empty /external_references/0/hashes STIX 2.1 §2.3'],
    [hashes({ 'SHA 256': 'a' }), 'hash-name-invalid /external_references/0/hashes/SHA 256 STIX 2.1 §2.7'],
    [hashes({ ab: 'a' }), 'hash-name-invalid /external_references/0/hashes/ab STIX 2.1 §2.7'],
    [hashes({ MD5: 'a' }), 'hash-value-invalid /external_references/0/hashes/MD5 STIX 2.1 §2.7'],
    [hashes({ 'SHA-256': 'g'.repeat(64) }), 'hash-value-invalid /external_references/0/hashes/SHA-256 STIX 2.1 §2.7'],
    [hashes({ x_own: 1 }), 'value-type /external_references/0/hashes/x_own STIX 2.1 §2.7'],
    [{ object_marking_refs: [] }, 'list-empty /object_marking_refs STIX 2.1 §2.12'],
    [{ object_marking_refs: ['TLP:RED'] }, 'identifier-invalid /object_marking_refs/0 STIX 2.1 §2.9'],
    [{ object_marking_refs: [`tool--${uuid}`] }, 'reference-type /object_marking_refs/0 STIX 2.1 §3.2'],
    [{ granular_markings: [] }, 'list-empty /granular_markings STIX 2.1 §2.12'],
    [markings({ lang: 'en' }), 'granular-marking-choice /granular_markings/0 STIX 2.1 §7.2.3'],
    [
      { granular_markings: [{ selectors: ['pattern'] }] },
      'granular-marking-choice /granular_markings/0 STIX 2.1 §7.2.3',
    ],
    [
      { granular_markings: [{ lang: 'en_US', selectors: ['pattern'] }] },
      'language-tag-invalid /granular_markings/0/lang STIX 2.1 §7.2.3',
    ],
    [markings({ marking_ref: 'TLP:RED' }), 'identifier-invalid /granular_markings/0/marking_ref STIX 2.1 §2.9'],
    [markings({ marking_ref: `tool--${uuid}` }), 'reference-type /granular_markings/0/marking_ref STIX 2.1 §7.2.3'],
    [{ granular_markings: [{ lang: 'en' }] }, 'property-missing /granular_markings/0/selectors STIX 2.1 §7.2.3'],
    [markings({ selectors: [] }), 'list-empty /granular_markings/0/selectors STIX 2.1 §2.12'],
    [markings({ selectors: [1] }), 'value-type /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['pattern', ''] }), 'selector-invalid /granular_markings/0/selectors/1 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['labels[0]'] }), 'selector-invalid /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['[0]'] }), 'selector-invalid /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['nothing'] }), 'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['labels.[2]'] }), 'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['labels.name'] }), 'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [
      markings({ selectors: ['labels.length'] }),
      'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3',
    ],
    [markings({ selectors: ['pattern.[0]'] }), 'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [markings({ selectors: ['toString'] }), 'selector-unresolved /granular_markings/0/selectors/0 STIX 2.1 §7.2.3'],
    [{ extensions: {} }, 'dictionary-empty /extensions STIX 2.1 §2.3'],
    [{ extensions: { foo: { bar: 1 } } }, 'extension-name-invalid /extensions/foo STIX 2.1 §3.2'],
    [{ extensions: { 'X-ext': { bar: 1 } } }, 'extension-name-invalid /extensions/X-ext STIX 2.1 §3.2'],
    [
      { extensions: { 'extension-definition--1-ext': { extension_type: 'new-sdo' } } },
      'extension-name-invalid /extensions/extension-definition--1-ext STIX 2.1 §3.2',
    ],
    [{ extensions: { 'x-foo-ext': {} } }, 'dictionary-empty /extensions/x-foo-ext STIX 2.1 §2.3'],
    [{ extensions: { 'x-foo-ext': 1 } }, 'value-type /extensions/x-foo-ext STIX 2.1 §3.2'],
    [
      { extensions: { [definition]: { rank: 1 } } },
      `extension-type-missing /extensions/${definition}/extension_type STIX 2.1 §3.2`,
    ],
    [
      { extensions: { [definition]: { extension_type: 'x' } } },
      `value-not-allowed /extensions/${definition}/extension_type STIX 2.1 §3.2`,
    ],
    [
      { extensions: { 'x-foo-ext': { extension_type: 1 } } },
      'value-not-allowed /extensions/x-foo-ext/extension_type STIX 2.1 §3.2',
    ],
    [{ defanged: true }, 'property-not-applicable /defanged STIX 2.1 §3.2'],
    [{ severity: 1 }, 'property-reserved /severity STIX 2.1 §3.8'],
    [{ username: 'a' }, 'property-reserved /username STIX 2.1 §3.8'],
    [{ phone_number: 'a' }, 'property-reserved /phone_number STIX 2.1 §3.8'],
    [{ action: 'a' }, 'property-reserved /action STIX 2.1 §3.8'],
    [{ ab: 1 }, 'property-name-invalid /ab STIX 2.1 §3.1'],
    [{ X_foo: 1 }, 'property-name-invalid /X_foo STIX 2.1 §3.1'],
    [{ 'x-foo': 1 }, 'property-name-invalid /x-foo STIX 2.1 §3.1'],
    [{ _foo: 1 }, 'property-name-invalid /_foo STIX 2.1 §3.1'],
    [{ '': 1 }, 'property-name-invalid / STIX 2.1 §3.1'],
    [{ my_guid_id: 1, foo_ID: 1 }, 'property-name-invalid /foo_ID STIX 2.1 §3.1'],
    [{ ['a'.repeat(251)]: 1 }, `property-name-invalid /${'a'.repeat(249)}… STIX 2.1 §3.1`],
    [{ x_foo: null }, 'null-value /x_foo STIX 2.1 §2'],
    [{ x_foo: [[1], []] }, 'list-empty /x_foo/1 STIX 2.1 §2.12'],
    [{ x_foo: { bar: {} } }, 'dictionary-empty /x_foo/bar STIX 2.1 §2.3'],
  ])('refuses %j', (changes, expected) => {
    expect(briefly({ ...bare, ...changes })).toEqual([expected]);
    expect(briefly({ ...report, pattern: 'a', labels: ['a', 'b'], ...changes })).toEqual([expected]);
  });

  it.each<[string, string]>([
    ['MD5', 'D41D8CD98F00B204E9800998ECF8427E'],
    ['SHA-1', 'a'.repeat(40)],
    ['SHA-512', 'a'.repeat(128)],
    ['SHA3-256', 'a'.repeat(64)],
    ['SHA3-512', 'a'.repeat(128)],
    ['SSDEEP', '96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuyZvHYm8tKp/RWO'],
    ['TLSH', '6FF02BEF718027B0160B4391212923ED7F1A463D563B1549B86CF62973B197AD2731F8'],
    ['TLSH', 'T16FF02BEF718027B0160B4391212923ED7F1A463D563B1549B86CF62973B197AD2731F8'],
  ])('takes a %s', (name, value) => {
    expect(briefly({ ...bare, ...hashes({ [name]: value }) })).toEqual([]);
  });
});

describe('describeProblems', () => {
  it('says where, what, and where that is written', () => {
    expect(describeProblems(problemsOf({ ...indicator, valid_until: indicator.valid_from, confidence: 101 }))).toBe(
      '/confidence must be <= 100 (STIX 2.1 §3.2, value-out-of-range); ' +
        '/valid_until must be later than /valid_from (STIX 2.1 §4.7.1, valid-until-order)',
    );
  });

  it.each<[StixRecord, string]>([
    [{ revoked: 1 }, '/revoked must be true or false ('],
    [{ created_by_ref: `tool--${uuid}` }, '/created_by_ref must be a reference to an identity ('],
    [
      { created: '2999-01-01T00:00:00.000Z' },
      "/created must not be in the future: the hub's clock shows 2026-06-01T12:00:00.000Z (",
    ],
    [
      { extensions: { 'x-foo-ext': { extension_type: '' } } },
      '/extensions/x-foo-ext/extension_type must be one of new-sdo, new-sco, new-sro, property-extension, ',
    ],
  ])('names what was expected: %j', (changes, beginning) => {
    expect(describeProblems(problemsOf({ ...indicator, ...changes }).slice(0, 1)).startsWith(beginning)).toBe(true);
  });

  it('stops after ten', () => {
    const problems = problemsOf({ ...report, object_refs: Array.from({ length: 12 }, () => 'x') });
    expect(describeProblems(problems).split('; ')).toHaveLength(11);
    expect(describeProblems(problems)).toMatch(/; and 2 more$/);
    expect(describeProblems([])).toBe('');
  });
});
