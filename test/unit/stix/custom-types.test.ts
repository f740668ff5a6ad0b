import { describe, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import { definition, expectNothing, expectOnly, marking, type Sample, uuid, versioned } from '../../support/judging.ts';

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
