import { describe, expect, it } from 'vitest';
import { type ProblemCode, problemCatalogue } from '../../../src/stix/catalogue.ts';
import {
  definition,
  deviations,
  longAgo,
  marking,
  ofDefinition,
  type Sample,
  samples,
  uuid,
  withValue,
} from '../../support/judging.ts';
import { add, below, type Mutation, notOf, of, reduce, remove, replace, where } from '../../support/mutations.ts';
import { tlpSamples } from '../../support/samples/meta-objects.ts';

const domain = { type: 'domain-name', value: 'orders.example.com' };
const mutex = { type: 'mutex', name: 'order-printer' };
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
