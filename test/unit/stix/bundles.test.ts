import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import type { Judgement, Policy } from '../../../src/stix/validate.ts';
import {
  canonical,
  expected,
  foundIn,
  now,
  policies,
  type Sample,
  samples,
  uuid,
  validator,
  withValue,
} from '../../support/judging.ts';
import { bundleSamples } from '../../support/samples/meta-objects.ts';

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
