import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, matchOf, push, query, recordsOf, shared } from './support/client.ts';
import { domainName, indicator, indicators, revise, statementMarking } from './support/stix.ts';

const first = indicator();
const newer = revise(first, '2020-04-01T10:00:00.000Z');
const marking = statementMarking();
const observable = domainName();
const batch = [first, ...indicators(2), marking, observable, newer];

beforeAll(async () => {
  await push(batch.slice(0, -1));
  await push([newer]);
});

const list = async (filter: Record<string, string | number>) =>
  (await get(`${shared}manifest/${query({ ...matchOf(batch), ...filter })}`)).body;

describe('manifest', () => {
  it('§5.3.1: one entry for each version of an object', async () => {
    expect(idsOf((await list({})).objects)).toEqual(idsOf(batch));
    expect(idsOf((await list({ 'match[version]': 'last' })).objects)).toEqual(idsOf(batch.slice(1)));
  });

  it('§5.3.1: version is modified, else created, to the letter', async () => {
    const records = await recordsOf(batch);
    const versionOf = (index: number) => records[index]?.version;
    expect(versionOf(0)).toBe(first.modified);
    expect(versionOf(3)).toBe(marking.created);
    expect(versionOf(4)).toBeTruthy();
    expect(versionOf(5)).toBe(newer.modified);
  });

  it('§5.3.1: media_type, if given, is one that the collection lists', async () => {
    const { media_types = ['application/stix+json'] } = (await get(shared)).body;
    for (const { media_type } of (await list({})).objects) if (media_type) expect(media_types).toContain(media_type);
  });

  it('§5.3.1, §3.3: a new version has a date_added of its own, later than what was there', async () => {
    const dates = (await recordsOf(batch)).map(record => record.date_added);
    expect(dates.at(-1)?.localeCompare(dates.at(-2) as string)).toBe(1);
  });

  it('§5.3: takes the filters of the objects endpoint, and selects the same', async () => {
    for (const filter of [{}, { limit: 3 }, { 'match[version]': 'last' }, { 'match[type]': 'indicator' }]) {
      const text = query({ ...matchOf(batch), ...filter });
      const [manifest, objects] = await Promise.all([
        get(`${shared}manifest/${text}`),
        get(`${shared}objects/${text}`),
      ]);
      expect(idsOf(manifest.body.objects)).toEqual(idsOf(objects.body.objects));
      expect(manifest.body.more ?? false).toBe(objects.body.more ?? false);
      for (const name of ['x-taxii-date-added-first', 'x-taxii-date-added-last'])
        expect(manifest.headers[name]).toBe(objects.headers[name]);
    }
  });

  it('§3.5: goes on by added_after from X-TAXII-Date-Added-Last', async () => {
    const seen: string[] = [];
    let added_after: string | undefined;
    for (let pages = 0; pages < 10; pages += 1) {
      const { headers, body } = await get(`${shared}manifest/${query({ ...matchOf(batch), limit: 2, added_after })}`);
      seen.push(...idsOf(body.objects));
      if (!body.more) break;
      added_after = String(headers['x-taxii-date-added-last']);
    }
    expect(seen).toEqual(idsOf(batch));
  });
});
