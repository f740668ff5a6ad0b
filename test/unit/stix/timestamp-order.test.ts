import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import { deviations, expectNothing, type Sample, samples, withValue } from '../../support/judging.ts';

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
