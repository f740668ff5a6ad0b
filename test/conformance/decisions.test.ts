import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  get,
  hidden,
  idsOf,
  matchOf,
  post,
  push,
  query,
  readOnly,
  remove,
  request,
  shared,
  taxii,
} from './support/client.ts';
import { indicator, indicators, revise } from './support/stix.ts';
import { target } from './support/target.ts';

// Where the standard leaves the choice to a server, this is what this hub chose.
describe.skipIf(!target.hasHouseRules)('what the hub decides', () => {
  it('an empty page is {"more":false}, with both date headers', async () => {
    const added_after = '2999-01-01T00:00:00.5Z';
    for (const path of ['objects/', 'manifest/']) {
      const { text, headers } = await get(`${shared}${path}${query({ added_after })}`);
      expect(text).toBe('{"more":false}');
      expect(headers['x-taxii-date-added-first']).toBe('2999-01-01T00:00:00.500000Z');
      expect(headers['x-taxii-date-added-last']).toBe('2999-01-01T00:00:00.500000Z');
    }
  });

  it('an empty page without added_after names no instant that has not come', async () => {
    const { headers } = await get(`${shared}objects/?match[id]=indicator--${randomUUID()}`);
    const last = Date.parse(String(headers['x-taxii-date-added-last']));
    expect(last).toBeLessThanOrEqual(Date.parse(String(headers.date)) + 60_000);
  });

  it('each object has a date_added of its own, later than all before, and the last of a batch is a whole millisecond', async () => {
    const batch = indicators(5);
    await push(batch);
    const { body } = await get(`${shared}manifest/${query(matchOf(batch))}`);
    const dates = body.objects.map((record: { date_added: string }) => record.date_added);
    expect(dates).toEqual([...new Set(dates)].sort());
    expect(dates.at(-1)).toMatch(/000Z$/);
  });

  it('§5.2: a collection in which a client has neither right is not there', async () => {
    expect((await get(hidden)).status).toBe(404);
    expect(idsOf((await get('collections/')).body.collections)).not.toContain(target.hidden);
    for (const path of ['objects/', 'manifest/', `objects/indicator--${randomUUID()}/`])
      expect((await get(`${hidden}${path}`)).status, path).toBe(404);
    expect((await post(hidden, { objects: [indicator()] })).status).toBe(404);
  });

  it('§5.4, §5.5, interop 3.5.2: one right but not the needed one is 403', async () => {
    expect((await get(`collections/${target.writeOnly}/objects/`)).status).toBe(403);
    expect((await post(readOnly, { objects: [indicator()] })).status).toBe(403);
  });

  it('§3.1: a POST of another media type is 415, also without one', async () => {
    for (const type of [
      'text/plain',
      'application/json',
      'application/taxii+json;version=2.0',
      'application/stix+json;version=2.0',
      undefined,
    ])
      expect((await post(shared, { objects: [indicator()] }, { headers: { 'content-type': type } })).status, type).toBe(
        415,
      );
  });

  it('§5.5: the same id and version with other content is a failure of that object, and the stored one stays', async () => {
    const object = indicator();
    await push([object]);
    const { status, body } = await post(shared, { objects: [{ ...object, name: 'another' }, indicator()] });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      success_count: 1,
      failure_count: 1,
      failures: [{ id: object.id, version: object.modified }],
    });
    expect(body.failures[0].message).toBeTruthy();
    expect((await get(`${shared}objects/${object.id}/`)).body.objects).toEqual([object]);
  });

  it('§5.5: white space and the order of keys make no other content', async () => {
    const object = indicator();
    await push([object]);
    const again = Object.fromEntries(Object.entries(object).reverse());
    const { status, body } = await post(shared, JSON.stringify({ objects: [again] }, null, 2));
    expect(status).toBe(202);
    expect(body).toMatchObject({ success_count: 1, failure_count: 0 });
  });

  it('§5.5: a version that differs only in how its instant is written is the same version', async () => {
    const object = indicator({ modified: '2020-03-01T10:00:00.500Z' });
    await push([object]);
    const { status } = await post(shared, { objects: [{ ...object, modified: '2020-03-01T10:00:00.500000Z' }] });
    expect(status).toBe(422);
    expect((await get(`${shared}objects/${object.id}/?match[version]=all`)).body.objects).toEqual([object]);
  });

  it('§5.5: an envelope of which nothing could be taken is 422 with each reason', async () => {
    const { status, body } = await post(shared, { objects: [{ type: 'indicator', id: 'x' }, { type: 'malware' }] });
    expect(status).toBe(422);
    expect(body.details.failures.length).toBe(2);
    for (const failure of body.details.failures) expect(failure.message).toBeTruthy();
  });

  it('§5.5: an envelope without objects is 400', async () => {
    for (const envelope of [{}, { objects: [] }, { more: false }, { type: 'bundle' }])
      expect((await post(shared, envelope)).status, JSON.stringify(envelope)).toBe(400);
  });

  it('a modified that has not come yet is refused', async () => {
    const now = Date.parse(String((await get('')).headers.date));
    const later = new Date(now + 3_600_000).toISOString();
    expect((await post(shared, { objects: [indicator({ modified: later })] })).status).toBe(422);
    await push([indicator({ created: new Date(now).toISOString(), modified: new Date(now).toISOString() })]);
  });

  it('objects leave as the bytes that came', async () => {
    const { id, ...rest } = indicator();
    const text = JSON.stringify({ x_example_number: 0, id, ...rest }).replace(
      '"x_example_number":0',
      '"x_example_number": 1.10,\n\t"x_example_exponent":1E+2,  "x_example_text":"\\u00e9\\/\\ud83c\\udfe6 é"',
    );
    expect((await post(shared, `{ "objects" : [\n${text}\n] }`)).status).toBe(202);
    const answer = await get(`${shared}objects/${id}/`);
    expect(answer.text).toBe(`{"more":false,"objects":[${text}]}`);
  });

  it.skipIf(!target.other)(
    'only the client that added an object first can add versions of it or delete it',
    async () => {
      const object = indicator();
      await push([object], shared, { as: 'other' });
      const newer = revise(object, '2020-05-01T00:00:00.000Z');
      const { body } = await post(shared, { objects: [newer, indicator()] });
      expect(body).toMatchObject({ success_count: 1, failure_count: 1, failures: [{ id: object.id }] });
      expect((await remove(`${shared}objects/${object.id}/`)).status).toBe(404);
      expect((await get(`${shared}objects/${object.id}/?match[version]=all`)).body.objects).toEqual([object]);
      // The same object from somebody else is a duplicate, which is no error (§5.5).
      await push([object]);
      await push([newer], shared, { as: 'other' });
      expect((await remove(`${shared}objects/${object.id}/`, { as: 'other' })).status).toBe(200);
    },
  );

  it('§3.1: a method that is not defined is 405 with Allow, whatever the body', async () => {
    for (const type of [undefined, taxii, 'application/json', 'text/plain']) {
      const body = type && '{}';
      const put = await get(`${shared}objects/`, { method: 'PUT', headers: { 'content-type': type }, body });
      expect(put.status, `PUT, ${type}`).toBe(405);
      expect(put.headers.allow).toMatch(/GET.*POST/);
      const post = await get(`${shared}manifest/`, { method: 'POST', headers: { 'content-type': type }, body });
      expect(post.status, `POST, ${type}`).toBe(405);
      expect(post.headers.allow).toMatch(/GET/);
    }
  });

  it('§4.1: discovery asks for a credential', async () => {
    expect((await request('/taxii2/', { as: 'nobody' })).status).toBe(401);
  });
});
