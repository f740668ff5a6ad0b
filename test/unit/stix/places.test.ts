import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import {
  expectOnly,
  judge,
  type Path,
  pointer,
  type Sample,
  samples,
  valueAt,
  withValue,
} from '../../support/judging.ts';

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
