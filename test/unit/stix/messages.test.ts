import { describe, expect, it } from 'vitest';
import { describeProblems, type Policy } from '../../../src/stix/validate.ts';
import { expectOnly, judge, longAgo, type Sample, samples, uuid, versioned, withValue } from '../../support/judging.ts';

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
