import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import {
  expectNothing,
  expectOnly,
  judge,
  marking,
  policies,
  type Sample,
  uuid,
  versioned,
} from '../../support/judging.ts';
import { tlpSamples } from '../../support/samples/meta-objects.ts';

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
  const domain = { type: 'domain-name', value: 'orders.example.com' };
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
