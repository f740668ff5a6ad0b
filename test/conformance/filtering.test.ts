import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, matchOf, push, query, recordsOf, request, shared, shift } from './support/client.ts';
import { domainName, indicators, malware } from './support/stix.ts';
import { target } from './support/target.ts';

const [first, second, third] = indicators(3) as [
  ReturnType<typeof malware>,
  ReturnType<typeof malware>,
  ReturnType<typeof malware>,
];
const family = malware();
const name = domainName();
const batch = [first, second, third, family, name];
let dates: string[];

beforeAll(async () => {
  await push(batch);
  dates = (await recordsOf(batch)).map(record => record.date_added);
});

const find = async (filter: Record<string, string | number | undefined>) => {
  const { status, body } = await get(`${shared}objects/${query({ ...matchOf(batch), ...filter })}`);
  expect(status).toBe(200);
  return idsOf(body.objects);
};

describe('added_after', () => {
  it('§3.4, interop 3.13.1.1: is exclusive', async () => {
    expect(await find({ added_after: dates[1] })).toEqual(idsOf(batch.slice(2)));
    expect(await find({ added_after: shift(dates[1] as string, -1) })).toEqual(idsOf(batch.slice(1)));
    expect(await find({ added_after: dates.at(-1) })).toEqual([]);
  });

  it('§3.4: goes by the date of addition, not by any date in the object', async () => {
    // Created and modified in 2020, and added now.
    expect(await find({ added_after: shift(dates[0] as string, -1) })).toEqual(idsOf(batch));
  });

  it('§3.4: works in the manifest as in the objects', async () => {
    const { body } = await get(`${shared}manifest/${query({ ...matchOf(batch), added_after: dates[2] })}`);
    expect(idsOf(body.objects)).toEqual(idsOf(batch.slice(3)));
  });
});

describe('limit', () => {
  it('§3.4, interop 3.13.1.2: bounds the objects, and more says that there are others', async () => {
    const { body } = await get(`${shared}objects/${query({ ...matchOf(batch), limit: 2 })}`);
    expect(idsOf(body.objects)).toEqual(idsOf(batch.slice(0, 2)));
    expect(body.more).toBe(true);
  });

  it('§3.4: what fits within it comes whole, without more', async () => {
    for (const limit of [batch.length, batch.length + 1]) {
      const { body } = await get(`${shared}objects/${query({ ...matchOf(batch), limit })}`);
      expect(body.objects.length).toBe(batch.length);
      expect(body.more ?? false).toBe(false);
      expect(body).not.toHaveProperty('next');
    }
  });

  it('§3.4: larger than the server gives is no error', async () => {
    for (const limit of ['1000000', '2147483648', '9007199254740991', '18446744073709551616'])
      expect((await get(`${shared}objects/?limit=${limit}`)).status, limit).toBe(200);
  });
});

describe('match', () => {
  it('§3.4.1, interop 3.13.1.3: id', async () => {
    expect(await find({ 'match[id]': second.id })).toEqual([second.id]);
  });

  it('§3.4, interop 3.13.1.7: several values, joined by commas, are alternatives', async () => {
    expect(await find({ 'match[id]': `${family.id},${first.id}` })).toEqual([first.id, family.id]);
    expect(await find({ 'match[type]': 'malware,domain-name' })).toEqual([family.id, name.id]);
  });

  it('§3.4.1, interop 3.13.1.4: type', async () => {
    expect(await find({ 'match[type]': 'indicator' })).toEqual(idsOf(batch.slice(0, 3)));
    expect(await find({ 'match[type]': 'campaign' })).toEqual([]);
  });

  it('§3.4.1: type alone gives objects of that type alone', async () => {
    const { body } = await get(`${shared}objects/${query({ 'match[type]': 'malware', limit: 20 })}`);
    expect(body.objects.map((object: { type: string }) => object.type)).toEqual(body.objects.map(() => 'malware'));
  });

  it('§3.4, interop 3.13.1.8: several fields must all hold', async () => {
    expect(await find({ 'match[id]': `${first.id},${family.id}`, 'match[type]': 'malware' })).toEqual([family.id]);
    expect(await find({ 'match[id]': first.id, 'match[type]': 'malware' })).toEqual([]);
  });

  it('§3.4, interop 3.13.1.9: alternatives and several fields together', async () => {
    const filter = { 'match[id]': `${first.id},${third.id},${name.id}`, 'match[type]': 'indicator,malware' };
    expect(await find({ ...filter, added_after: dates[0] })).toEqual([third.id]);
  });

  it('§3.4.1, interop 3.13.1.6: spec_version gives no other version', async () => {
    expect(await find({ 'match[spec_version]': '2.1' })).toEqual(idsOf(batch));
    expect(await find({ 'match[spec_version]': '2.0' })).toEqual([]);
    expect(await find({ 'match[spec_version]': '2.0,2.1' })).toEqual(idsOf(batch));
  });

  it('§3.4: brackets and commas may be escaped or not', async () => {
    for (const text of [`match[id]=${first.id},${third.id}`, `match%5Bid%5D=${first.id}%2C${third.id}`]) {
      expect(idsOf((await get(`${shared}objects/?${text}`)).body.objects)).toEqual([first.id, third.id]);
    }
  });

  it('§5.3: the manifest is filtered by the objects', async () => {
    const { body } = await get(`${shared}manifest/${query({ ...matchOf(batch), 'match[type]': 'malware' })}`);
    expect(idsOf(body.objects)).toEqual([family.id]);
  });

  it.each(stixTypes())('§3.4.1: the type %s of STIX 2.1 is never an error', async type => {
    expect((await get(`${shared}objects/${query({ 'match[type]': type, limit: 1 })}`)).status).toBe(200);
  });

  it('§3.4: an unknown field is ignored, or refused', async () => {
    for (const field of ['confidence', 'x_example', 'relationships-all', 'confidence-gte'])
      expect([200, 400]).toContain((await get(`${shared}objects/?limit=1&match[${field}]=1`)).status);
  });
});

describe('§3.4 malformed parameters are 400', () => {
  const malformed = [
    'limit=0',
    'limit=-1',
    'limit=abc',
    'limit=1.5',
    'limit=1e3',
    'limit=0x10',
    'limit=%2B5',
    'limit=',
    'limit=1&limit=2',
    'limit=1,2',
    'added_after=',
    'added_after=yesterday',
    'added_after=2020-13-01T00:00:00.000000Z',
    'added_after=2020-02-30T00:00:00.000000Z',
    'added_after=1577836800',
    'added_after=2020-01-01T00:00:00.000000Z&added_after=2020-01-01T00:00:00.000000Z',
    'added_after=2020-01-01T00:00:00.000000Z,2021-01-01T00:00:00.000000Z',
    'next=nonsense',
    `next=${randomUUID()}`,
    'match[version]=all,last',
    'match[version]=first,all',
    'match[version]=last,last',
    'match[version]=2020-01-01T00:00:00.000Z,2020-01-01T00:00:00.000Z',
    'match[version]=nonsense',
    'match[type]=indicator&match[type]=malware',
    `match[id]=${first.id}&match[id]=${second.id}`,
    'match[version]=first&match[version]=last',
    'match[spec_version]=2.1&match[spec_version]=2.0',
  ];
  it.each(malformed)('%s', async text => {
    expect((await get(`${shared}objects/?${text}`)).status).toBe(400);
    expect((await get(`${shared}manifest/?${text}`)).status).toBe(400);
  });

  it.each(malformed.filter(text => !text.startsWith('match')))('%s at the versions of an object', async text => {
    expect((await get(`${shared}objects/${first.id}/versions/?${text}`)).status).toBe(400);
  });

  it.each(malformed.filter(text => !/match\[(type|id)/.test(text)))('%s at an object', async text => {
    expect((await get(`${shared}objects/${first.id}/?${text}`)).status).toBe(400);
  });

  it('interop 3.13.1.10: a filter that is given twice', async () => {
    expect((await get(`${shared}objects/?match[type]=indicator&match%5Btype%5D=indicator`)).status).toBe(400);
  });

  it('a match with the wrong version selector deletes nothing', async () => {
    const path = `${target.apiRoot}${shared}objects/${third.id}/?match[version]=all,last`;
    expect((await request(path, { method: 'DELETE' })).status).toBe(400);
    expect(await find({ 'match[id]': third.id })).toEqual([third.id]);
  });
});

function stixTypes(): string[] {
  return (
    'attack-pattern campaign course-of-action grouping identity incident indicator infrastructure intrusion-set ' +
    'location malware malware-analysis note observed-data opinion report threat-actor tool vulnerability ' +
    'relationship sighting artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ' +
    'ipv6-addr mac-addr mutex network-traffic process software url user-account windows-registry-key ' +
    'x509-certificate language-content marking-definition extension-definition'
  ).split(' ');
}
