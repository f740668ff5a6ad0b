import { describe, expect, it } from 'vitest';
import { type MatchField, parseMatch, parsePageQuery, toObjectFilter } from '../../../src/taxii/filter.ts';

const fields: MatchField[] = ['id', 'type', 'version', 'spec_version'];
const id = 'indicator--6f2b1c0e-3a9d-4f57-9a62-0d4c5e8b7a11';

describe('parsePageQuery', () => {
  it('gives nothing where nothing was asked for, and then the last versions', () => {
    const query = parsePageQuery({}, fields);
    expect(query).toEqual({ addedAfter: undefined, limit: undefined, next: undefined, match: {} });
    expect(toObjectFilter(query.match)).toEqual({ versions: { all: false, first: false, last: true, instants: [] } });
  });

  it('reads lists, in whatever order', () => {
    expect(parseMatch({ 'match[type]': 'report,indicator' }, fields)).toEqual({ type: ['indicator', 'report'] });
  });

  it('compares versions as instants', () => {
    const { versions } = toObjectFilter(parseMatch({ 'match[version]': 'first,2016-01-01T00:00:00.500Z' }, fields));
    expect(versions).toEqual({ all: false, first: true, last: false, instants: ['2016-01-01T00:00:00.5'] });
  });

  it('takes a limit far above what the hub gives', () => {
    expect(parsePageQuery({ limit: '99999999999999999999999' }, fields).limit).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('ignores what TAXII does not define', () => {
    expect(parsePageQuery({ foo: 'bar', 'match[confidence]': '5' }, fields).match).toEqual({});
  });

  it.each([
    ['limit', '0'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', 'abc'],
    ['limit', ''],
    ['limit', '1e3'],
    ['added_after', 'yesterday'],
    ['added_after', ''],
    ['match[id]', 'indicator'],
    ['match[id]', `${id}, ${id}`],
    ['match[id]', "x' or 1=1 --"],
    ['match[type]', 'Indicator'],
    ['match[type]', 'indicator,'],
    ['match[type]', ''],
    ['match[type]', "indicator';drop table partner"],
    ['match[version]', 'latest'],
    ['match[version]', 'all,last'],
    ['match[version]', 'last,last'],
    ['match[version]', '2016-01-01T00:00:00Z,2016-01-01T00:00:00.000Z'],
    ['match[version]', '2016-02-30T00:00:00Z'],
    ['match[spec_version]', 'two'],
  ])('refuses %s=%s and names the parameter', (name, value) => {
    expect(() => parsePageQuery({ [name]: value }, fields)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(name) }),
    );
  });

  it.each(['limit', 'added_after', 'next', 'match[id]', 'match[type]'])('refuses %s given twice', name => {
    expect(() => parsePageQuery({ [name]: ['1', '2'] }, fields)).toThrow(/only once/);
  });

  it('bounds the values of a list', () => {
    const types = Array.from({ length: 501 }, (_, index) => `x-type-${index}`).join(',');
    expect(() => parseMatch({ 'match[type]': types }, fields)).toThrow(/at most 500/);
  });
});
