import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, push, query, recordsOf, shared } from './support/client.ts';
import { domainName, indicator, revise, type StixObject, statementMarking } from './support/stix.ts';

const [v1, v2, v3] = ['2020-01-01T00:00:00.000Z', '2020-01-02T00:00:00.500Z', '2020-01-03T00:00:00.123456Z'] as const;
const object = indicator({ created: v1, modified: v1, name: 'one' });
const second = revise(object, v2, { name: 'two' });
const third = revise(object, v3, { name: 'three', revoked: true });
const single = indicator({ created: v1, modified: v1 });
const marking = statementMarking();
const observable = domainName();
const path = `${shared}objects/${object.id}/`;

beforeAll(async () => {
  await push([single, marking, observable]);
  // Added out of the order of their versions.
  for (const version of [second, third, object]) await push([version]);
});

const find = async (version: string | undefined, ids = [object.id]): Promise<StixObject[]> => {
  const filter = query({ 'match[id]': ids.join(','), 'match[version]': version });
  const { status, body } = await get(`${shared}objects/${filter}`);
  expect(status).toBe(200);
  return body.objects ?? [];
};

describe('match[version]', () => {
  it('§3.4.1: none is the same as last: the latest version, though it was not added last', async () => {
    expect(await find(undefined)).toEqual([third]);
    expect(await find('last')).toEqual([third]);
    expect((await get(path)).body.objects).toEqual([third]);
  });

  it('§3.4.1, interop 3.13.1.5: first is the earliest version, though it was added last', async () => {
    expect(await find('first')).toEqual([object]);
    expect((await get(`${path}?match[version]=first`)).body.objects).toEqual([object]);
  });

  it('§3.4.1: all, in the order they were added (§3.3)', async () => {
    expect(await find('all')).toEqual([second, third, object]);
    expect((await get(`${path}?match[version]=all`)).body.objects).toEqual([second, third, object]);
  });

  it('§3.4.1: a value is the version with just that modified', async () => {
    for (const version of [object, second, third]) expect(await find(String(version.modified))).toEqual([version]);
    expect(await find('2020-01-02T00:00:00.501Z')).toEqual([]);
    expect(await find('2020-01-03T00:00:00.123Z')).toEqual([]);
  });

  it('§3.4.1: a value names an instant, however many digits it is written with', async () => {
    expect(await find('2020-01-01T00:00:00Z')).toEqual([object]);
    expect(await find('2020-01-02T00:00:00.5Z')).toEqual([second]);
    expect(await find('2020-01-03T00:00:00.123456000Z')).toEqual([third]);
  });

  it('§3.4.1: several values are alternatives', async () => {
    expect(await find('last,first')).toEqual([third, object]);
    expect(await find(`first,${v2},last`)).toEqual([second, third, object]);
    expect(await find(`${v1},${v2}`)).toEqual([second, object]);
  });

  it('§3.4.1: works for each of several objects', async () => {
    const ids = [object.id, single.id];
    expect(await find('last', ids)).toEqual([single, third]);
    expect(await find('first', ids)).toEqual([single, object]);
    expect(await find(v1, ids)).toEqual([single, object]);
  });

  it('§3.4.1: of an object without modified, created is the version', async () => {
    expect(await find(String(marking.created), [marking.id])).toEqual([marking]);
    expect(await find('first', [marking.id])).toEqual([marking]);
  });

  it('§3.4.1: of an object without any date, the server chooses a version and keeps to it', async () => {
    const [record] = await recordsOf([observable]);
    expect(await find(record?.version, [observable.id])).toEqual([observable]);
    expect((await get(`${shared}objects/${observable.id}/versions/`)).body.versions).toEqual([record?.version]);
  });

  it('§3.4.1: applies to the manifest', async () => {
    const ask = async (version: string | undefined) => {
      const { body } = await get(`${shared}manifest/${query({ 'match[id]': object.id, 'match[version]': version })}`);
      return body.objects.map((record: { version: string }) => record.version);
    };
    expect(await ask(undefined)).toEqual([v3]);
    expect(await ask('first')).toEqual([v1]);
    expect(await ask('all')).toEqual([v2, v3, v1]);
  });
});

describe('GET versions', () => {
  it('§5.8, interop 3.9.1: lists every version', async () => {
    const { status, body } = await get(`${path}versions/`);
    expect(status).toBe(200);
    expect([...body.versions].sort()).toEqual([v1, v2, v3]);
  });

  it('§5.8: of an object without modified, created is the version', async () => {
    expect((await get(`${shared}objects/${marking.id}/versions/`)).body.versions).toEqual([marking.created]);
  });

  it('§5.8: an unknown object is 404', async () => {
    expect((await get(`${shared}objects/indicator--${randomUUID()}/versions/`)).status).toBe(404);
  });

  it('§5.8: match[spec_version]', async () => {
    expect((await get(`${path}versions/?match[spec_version]=2.1`)).body.versions.length).toBe(3);
    const none = await get(`${path}versions/?match[spec_version]=2.0`);
    expect(none.status).toBe(200);
    expect(none.body).not.toHaveProperty('versions');
  });

  it('§5.8, interop 3.14.1: goes on by added_after from X-TAXII-Date-Added-Last', async () => {
    const seen: string[] = [];
    let added_after: string | undefined;
    for (let pages = 0; pages < 5; pages += 1) {
      const { headers, body } = await get(`${path}versions/${query({ limit: 1, added_after })}`);
      seen.push(...(body.versions ?? []));
      if (!body.more) break;
      added_after = String(headers['x-taxii-date-added-last']);
    }
    expect(seen.sort()).toEqual([v1, v2, v3]);
  });

  it('§5.8: the date headers are those of the versions', async () => {
    const records = (await get(`${shared}manifest/${query({ 'match[id]': object.id, 'match[version]': 'all' })}`)).body
      .objects;
    const { headers } = await get(`${path}versions/`);
    expect(headers['x-taxii-date-added-first']).toBe(records[0].date_added);
    expect(headers['x-taxii-date-added-last']).toBe(records.at(-1).date_added);
  });

  it('§3.4.1: a new version takes the place of the last one in a list without match[version]', async () => {
    const one = indicator({ created: v1, modified: v1 });
    await push([one]);
    const [before] = await recordsOf([one]);
    await push([revise(one, v2)]);
    const records = (await get(`${shared}manifest/?match[id]=${one.id}`)).body.objects;
    expect(idsOf(records)).toEqual([one.id]);
    expect(records[0].version).toBe(v2);
    expect(records[0].date_added > (before?.date_added as string)).toBe(true);
  });
});
