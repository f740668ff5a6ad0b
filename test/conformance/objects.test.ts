import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, matchOf, push, query, readOnly, recordsOf, request, shared, shift } from './support/client.ts';
import { domainName, indicator, indicators, malware, revise, statementMarking } from './support/stix.ts';
import { target } from './support/target.ts';

const batch = [...indicators(3), malware(), statementMarking(), domainName()];

beforeAll(async () => {
  await push(batch);
});

describe('GET objects', () => {
  it('§5.4, interop 3.7.1: gives the objects as they were added', async () => {
    const { status, body } = await get(`${shared}objects/${query(matchOf(batch))}`);
    expect(status).toBe(200);
    expect(body.objects).toEqual(batch);
    expect(body.more ?? false).toBe(false);
  });

  it('§3.3: sorted by the date they were added, ascending', async () => {
    const later = indicators(2);
    await push(later.slice(1));
    await push(later.slice(0, 1));
    const { body } = await get(`${shared}objects/${query(matchOf([...later, ...batch]))}`);
    expect(idsOf(body.objects)).toEqual([...idsOf(batch), later[1]?.id, later[0]?.id]);
  });

  it('§3.4: without added_after, the oldest objects come first', async () => {
    const [manifest, objects] = await Promise.all(
      ['manifest', 'objects'].map(path => get(`${shared}${path}/${query({ limit: 3, 'match[version]': 'all' })}`)),
    );
    expect(idsOf(objects?.body.objects)).toEqual(idsOf(manifest?.body.objects));
    const after = query({
      limit: 1,
      added_after: shift(manifest?.body.objects[0].date_added, -1),
      'match[version]': 'all',
    });
    expect((await get(`${shared}objects/${after}`)).body.objects[0]).toEqual(objects?.body.objects[0]);
  });

  it('§5.4, interop 3.7.2: nothing found is 200 with an envelope without objects', async () => {
    const { status, body } = await get(`${shared}objects/${query({ 'match[id]': `indicator--${randomUUID()}` })}`);
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('objects');
    expect(body.more ?? false).toBe(false);
  });

  it('§3.2: the date headers are those of the first and last object of the response', async () => {
    const records = await recordsOf(batch);
    const { headers } = await get(`${shared}objects/${query({ ...matchOf(batch), limit: 2 })}`);
    expect(headers['x-taxii-date-added-first']).toBe(records[0]?.date_added);
    expect(headers['x-taxii-date-added-last']).toBe(records[1]?.date_added);
  });

  it('§3.2: an empty response has the date headers as well', async () => {
    const nothing = query({ added_after: '2999-01-01T00:00:00.000000Z' });
    for (const path of ['objects/', 'manifest/', `objects/${batch[0]?.id}/`, `objects/${batch[0]?.id}/versions/`]) {
      const { status, body } = await get(`${shared}${path}${nothing}`);
      expect(status, path).toBe(200);
      expect(body.objects ?? body.versions, path).toBeUndefined();
    }
  });

  it('§5.4: a read-only collection can be read', async () => {
    expect((await get(`${readOnly}objects/?limit=2`)).status).toBe(200);
  });

  it('§3.2: a timestamp with six fraction digits comes back with all of them', async () => {
    const times = { created: '2020-03-01T10:00:00.123456Z', modified: '2020-03-01T10:00:00.654321Z' };
    const object = indicator(times);
    await push([object]);
    const { body } = await get(`${shared}objects/${object.id}/`);
    expect(body.objects).toEqual([object]);
    expect((await get(`${shared}objects/${object.id}/versions/`)).body.versions).toEqual([times.modified]);
  });

  it('text outside of ASCII comes back as it was', async () => {
    const object = indicator({ name: 'Überweisung "nach" \\ 東京 🏦 \u2028 \u0007', description: 'é\u0301' });
    await push([object]);
    expect((await get(`${shared}objects/${object.id}/`)).body.objects).toEqual([object]);
  });
});

describe('GET object', () => {
  it('§5.6, §3.7, interop 3.8.1: one object comes in an envelope', async () => {
    for (const object of batch) {
      const { status, body } = await get(`${shared}objects/${object.id}/`);
      expect(status).toBe(200);
      expect(body.objects).toEqual([object]);
    }
  });

  it('§5.6, interop 3.8.2: an object that is not in the collection is 404', async () => {
    for (const id of [
      `indicator--${randomUUID()}`,
      `malware--${batch[0]?.id.split('--')[1]}`,
      'nonsense',
      '%20',
      'a%2Fb',
    ]) {
      expect((await get(`${shared}objects/${id}/`)).status, id).toBe(404);
      expect((await get(`${shared}objects/${id}/versions/`)).status, id).toBe(404);
    }
  });

  it('§5.6: an object of another collection is 404', async () => {
    expect((await get(`${readOnly}objects/${batch[0]?.id}/`)).status).toBe(404);
  });

  it('§5.6: an object that is there, but filtered away, is an empty envelope', async () => {
    const path = `${shared}objects/${batch[0]?.id}/`;
    const [record] = await recordsOf(batch.slice(0, 1));
    for (const filter of [
      { added_after: record?.date_added },
      { 'match[version]': '2001-01-01T00:00:00.000Z' },
      { 'match[spec_version]': '2.0' },
    ]) {
      const { status, body } = await get(`${path}${query(filter)}`);
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('objects');
    }
  });

  it('§5.6: takes added_after, limit and next, as the list does', async () => {
    const first = indicator();
    const versions = [first, revise(first, '2020-03-02T10:00:00.000Z'), revise(first, '2020-03-03T10:00:00.000Z')];
    for (const version of versions) await push([version]);
    const path = `${shared}objects/${first.id}/`;
    const page = await get(`${path}${query({ 'match[version]': 'all', limit: 2 })}`);
    expect(page.body).toMatchObject({ more: true, objects: versions.slice(0, 2) });
    const added_after = String(page.headers['x-taxii-date-added-last']);
    expect((await get(`${path}${query({ 'match[version]': 'all', added_after })}`)).body.objects).toEqual(
      versions.slice(2),
    );
    if (page.body.next === undefined) return;
    const rest = await get(`${path}${query({ 'match[version]': 'all', limit: 2, next: page.body.next })}`);
    expect(rest.body.objects).toEqual(versions.slice(2));
  });

  it.skipIf(!target.hasHouseRules)('HEAD gives the headers of GET and no body', async () => {
    const path = `${target.apiRoot}${shared}objects/${batch[0]?.id}/`;
    const [withBody, without] = [await request(path), await request(path, { method: 'HEAD' })];
    expect(without.status).toBe(200);
    for (const name of ['content-type', 'content-length', 'x-taxii-date-added-first', 'x-taxii-date-added-last'])
      expect(without.headers[name], name).toBe(withBody.headers[name]);
  });
});
