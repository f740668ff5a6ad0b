import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartnerRow } from '../../src/db/partners.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

let hub: TestHub;
let bank: PartnerRow;
let bankToken: string;
let policeToken: string;
const url = '/hub/collections/writing/objects/';
const scope = 'collection:writing:read collection:writing:write';

beforeAll(async () => {
  hub = await startTestHub();
  await hub.addCollection({ alias: 'writing' });
  bank = await hub.addPartner('bank');
  bankToken = await hub.tokenFor(bank, scope);
  policeToken = await hub.tokenFor(await hub.addPartner('police'), scope);
});
afterAll(() => hub.close());

const push = (objects: unknown[], token = bankToken) => hub.post(token, url, { objects });
const stored = async (id: string) => (await hub.get(bankToken, `${url}${id}/?match[version]=all`)).json().objects;
/** the text between the brackets of an envelope with one object */
const storedText = async (id: string) =>
  (await hub.get(bankToken, `${url}${id}/`)).body.replace('{"more":false,"objects":[', '').slice(0, -2);

describe('POST objects', () => {
  it('answers 202 with a status of all objects, which can be asked for again', async () => {
    const objects = indicators(3);
    const answer = await push(objects);
    expect(answer.statusCode).toBe(202);
    expect(answer.headers['content-type']).toBe(taxii);
    const status = answer.json();
    expect(status).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      status: 'complete',
      request_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      total_count: 3,
      success_count: 3,
      successes: objects.map(({ id, modified: version }) => ({ id, version })),
      failure_count: 0,
      pending_count: 0,
    });
    expect((await hub.get(bankToken, `/hub/status/${status.id}/`)).json()).toEqual(status);
    expect((await hub.get(policeToken, `/hub/status/${status.id}/`)).statusCode).toBe(404);
    expect((await hub.get(bankToken, `/other/status/${status.id}/`)).statusCode).toBe(404);
  });

  it('takes a bundle as the body, and both media types', async () => {
    const bundle = (object: object) => ({ type: 'bundle', id: 'bundle--1', spec_version: '2.1', objects: [object] });
    for (const type of [
      taxii,
      'application/taxii+json',
      'application/stix+json; version=2.1',
      'application/taxii+json;version="2.1"',
    ]) {
      const answer = await hub.request(bankToken, {
        method: 'POST',
        url,
        headers: { 'content-type': type },
        payload: JSON.stringify(bundle(indicator())),
      });
      expect(answer.statusCode).toBe(202);
    }
  });

  it('judges each object alone: failures name object, version and reason', async () => {
    const good = indicator();
    const bad = indicator({ valid_from: undefined });
    const bundle = { type: 'bundle', id: 'bundle--11111111-1111-4111-8111-111111111111', objects: [] };
    const answer = await push([bad, good, 17, bundle]);
    expect(answer.statusCode).toBe(202);
    const status = answer.json();
    expect(status).toMatchObject({ total_count: 4, success_count: 1, failure_count: 3 });
    expect(status.successes).toEqual([{ id: good.id, version: good.modified }]);
    expect(status.failures[0]).toEqual({
      id: bad.id,
      version: bad.modified,
      message: expect.stringContaining('/valid_from'),
    });
    expect(status.failures[2].message).toMatch(/bundle/);
  });

  it('answers 422 with each reason where nothing could be taken, and keeps no status', async () => {
    const bad = indicator({ pattern: '' });
    const answer = await push([bad]);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      http_status: '422',
      error_code: 'envelope-refused',
      details: { failures: [{ id: bad.id, version: bad.modified, message: expect.stringContaining('/pattern') }] },
    });
  });

  it('takes the same version with the same content again, whatever its white space and order', async () => {
    const object = indicator({ a_number: 1.5 });
    await push([object]);
    const reordered = Object.fromEntries(Object.entries(object).reverse());
    const answer = await hub.post(bankToken, url, JSON.stringify({ objects: [reordered] }, null, 4));
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      success_count: 1,
      successes: [{ id: object.id, version: object.modified, message: 'already in the collection' }],
    });
    expect(await stored(object.id)).toEqual([object]);
    expect(await storedText(object.id)).toBe(JSON.stringify(object));
  });

  it('takes it again without a property that has its default, which is the same version (STIX 2.1 §3.6)', async () => {
    const object = indicator({ lang: 'en', revoked: false });
    await push([object]);
    const { lang: _, revoked: __, ...short } = object;
    expect((await push([short])).json().successes[0].message).toBe('already in the collection');
    expect((await push([{ ...short, revoked: true }])).statusCode).toBe(422);
  });

  it('refuses the same version with other content, says so, and keeps what was there', async () => {
    const object = indicator();
    await push([object]);
    const answer = await push([{ ...object, name: 'changed' }]);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().details.failures[0].message).toMatch(/other content/);
    expect(await stored(object.id)).toEqual([object]);
  });

  it('knows a version again in whatever precision it is written', async () => {
    const object = indicator({ modified: '2026-03-01T10:00:00.500Z' });
    await push([object]);
    const answer = await push([{ ...object, modified: '2026-03-01T10:00:00.500000Z' }]);
    expect(answer.json().details.failures[0].message).toMatch(/other content/);
  });

  it('tells versions apart by digits beyond microseconds', async () => {
    const object = indicator({ modified: '2026-03-01T10:00:00.123456789Z' });
    const later = revise(object, '2026-03-01T10:00:00.1234567891Z');
    expect((await push([object, later])).json().success_count).toBe(2);
    const versions = (await hub.get(bankToken, `${url}${object.id}/versions/`)).json().versions;
    expect(versions).toEqual([object.modified, later.modified]);
    expect((await hub.get(bankToken, `${url}${object.id}/`)).json().objects).toEqual([later]);
    expect(
      (await hub.get(bankToken, `${url}?match[id]=${object.id}&match[version]=${object.modified}`)).json().objects,
    ).toEqual([object]);
  });

  it('deals with doubles inside one envelope as between envelopes', async () => {
    const object = indicator();
    const status = (
      await push([object, object, { ...object, name: 'changed' }, revise(object, '2026-05-01T00:00:00.000Z')])
    ).json();
    expect(status).toMatchObject({ success_count: 3, failure_count: 1 });
    expect(await stored(object.id)).toHaveLength(2);
  });

  it('keeps first and last right when versions come in any order', async () => {
    const object = indicator();
    const versions = [5, 3, 9, 1, 7].map(day => revise(object, `2026-06-0${day}T00:00:00.000Z`));
    await push(versions.slice(0, 2));
    await push(versions.slice(2));
    const query = async (version: string) =>
      (await hub.get(bankToken, `${url}${object.id}/?match[version]=${version}`)).json().objects;
    expect(await query('last')).toEqual([versions[2]]);
    expect(await query('first')).toEqual([versions[3]]);
    expect(await query('first,last')).toHaveLength(2);
  });

  it('an object without dates has one version', async () => {
    const address = { type: 'ipv4-addr', id: 'ipv4-addr--33333333-3333-5333-8333-333333333333', value: '192.0.2.3' };
    expect((await push([address, address])).json().success_count).toBe(2);
    expect((await push([address])).json().successes[0].message).toMatch(/already/);
    expect((await push([{ ...address, value: '192.0.2.4' }])).statusCode).toBe(422);
    expect(await stored(address.id)).toEqual([address]);
  });

  it('takes custom types and unknown ones', async () => {
    const dates = { spec_version: '2.1', created: '2026-01-01T00:00:00.000Z', modified: '2026-01-01T00:00:00.000Z' };
    const custom = {
      type: 'x-acme-case',
      id: 'x-acme-case--44444444-4444-4444-8444-444444444444',
      ...dates,
      note: { a: [1] },
    };
    expect((await push([custom])).statusCode).toBe(202);
    expect(await stored(custom.id)).toEqual([custom]);
  });
});

describe('ownership', () => {
  it('only the partner that added an object first can add versions of it or revoke it', async () => {
    const object = indicator();
    await push([object]);
    const attempt = await push([revise(object, '2026-04-01T00:00:00.000Z', { revoked: true })], policeToken);
    expect(attempt.statusCode).toBe(422);
    expect(attempt.json().details.failures[0].message).toMatch(/another partner/);
    expect(attempt.body).not.toContain(bank.slug);
    expect((await push([revise(object, '2026-04-01T00:00:00.000Z', { revoked: true })])).statusCode).toBe(202);
  });

  it.each([
    ['upper', 'lower'],
    ['lower', 'upper'],
    ['mixed', 'upper'],
  ] as const)('holds for an id in %s case where another partner writes it in %s case', async (first, second) => {
    const uuid = randomUUID();
    const spell = { upper: uuid.toUpperCase(), lower: uuid, mixed: uuid.slice(0, 18).toUpperCase() + uuid.slice(18) };
    // A digit above 9 in each half, so that all three differ.
    const spelled = (how: keyof typeof spell) => `indicator--a${spell[how].slice(1, -1)}${how === 'upper' ? 'F' : 'f'}`;
    const object = indicator({ id: spelled(first).replace('--a', first === 'lower' ? '--a' : '--A') });
    expect((await push([object])).statusCode).toBe(202);
    const revived = { ...object, id: spelled(second), modified: '2026-04-01T00:00:00.000Z' };
    const attempt = await push([revived], policeToken);
    expect(attempt.statusCode).toBe(422);
    expect(attempt.json().details.failures[0].message).toMatch(/another partner/);
    // It is its owner's to write as it likes.
    expect((await push([revived])).statusCode).toBe(202);
  });

  it('another partner sending the same object is a success that changes nothing', async () => {
    const object = indicator();
    await push([object]);
    expect((await push([object], policeToken)).statusCode).toBe(202);
    expect((await push([revise(object, '2026-04-01T00:00:00.000Z')], policeToken)).statusCode).toBe(422);
  });

  it('is decided once when two partners add the same object at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const object = indicator();
      const answers = await Promise.all([
        push([revise(object, '2026-04-01T00:00:00.000Z', { name: 'of the bank' })], bankToken),
        push([revise(object, '2026-04-02T00:00:00.000Z', { name: 'of the police' })], policeToken),
      ]);
      expect(answers.map(answer => answer.statusCode).sort()).toEqual([202, 422]);
      expect(await stored(object.id)).toHaveLength(1);
    }
  });

  it('holds in each collection by itself', async () => {
    await hub.addCollection({ alias: 'elsewhere' });
    const elsewhere = await hub.tokenFor(await hub.addPartner('elsewhere'), 'collection:elsewhere:write');
    const object = indicator();
    await push([object]);
    const answer = await hub.post(elsewhere, '/hub/collections/elsewhere/objects/', {
      objects: [revise(object, '2026-04-01T00:00:00.000Z')],
    });
    expect(answer.statusCode).toBe(202);
  });
});

describe('DELETE object', () => {
  const remove = (id: string, token = bankToken, query = '') =>
    hub.request(token, { method: 'DELETE', url: `${url}${id}/${query}` });

  it('removes all versions from every way of reading', async () => {
    const object = indicator();
    await push([object, revise(object, '2026-05-01T00:00:00.000Z')]);
    const answer = await remove(object.id);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe(taxii);
    expect((await hub.get(bankToken, `${url}${object.id}/`)).statusCode).toBe(404);
    expect((await hub.get(bankToken, `${url}${object.id}/versions/`)).statusCode).toBe(404);
    expect((await hub.get(bankToken, `${url}?match[id]=${object.id}&match[version]=all`)).json()).toEqual({
      more: false,
    });
    expect((await hub.get(bankToken, '/hub/collections/writing/manifest/')).body).not.toContain(object.id);
    expect((await remove(object.id)).statusCode).toBe(404);
  });

  it('removes the versions that match, and the next one becomes the last or first', async () => {
    const object = indicator();
    const versions = [1, 2, 3, 4].map(day => revise(object, `2026-06-0${day}T00:00:00.000Z`));
    await push(versions);
    expect((await remove(object.id, bankToken, '?match[version]=last')).statusCode).toBe(200);
    expect((await hub.get(bankToken, `${url}${object.id}/`)).json().objects).toEqual([versions[2]]);
    expect((await remove(object.id, bankToken, `?match[version]=${versions[0]?.modified}`)).statusCode).toBe(200);
    expect((await hub.get(bankToken, `${url}${object.id}/?match[version]=first`)).json().objects).toEqual([
      versions[1],
    ]);
    expect((await remove(object.id, bankToken, '?match[version]=2001-01-01T00:00:00Z')).statusCode).toBe(404);
    expect((await remove(object.id, bankToken, '?match[version]=sometimes')).statusCode).toBe(400);
    expect(await stored(object.id)).toEqual(versions.slice(1, 3));
  });

  it('is 404 for who does not own the object, and it stays', async () => {
    const object = indicator();
    await push([object]);
    const answer = await remove(object.id, policeToken);
    const unknown = await remove('indicator--99999999-9999-4999-8999-999999999999', policeToken);
    expect(answer.statusCode).toBe(404);
    expect({ ...answer.json(), error_id: '' }).toEqual({ ...unknown.json(), error_id: '' });
    expect(await stored(object.id)).toEqual([object]);
  });
});

describe('what comes back', () => {
  it.each([
    ['number-like keys in their order', '{"b":1,"10":2,"9":3,"a":{"2":1,"1":2}}'],
    ['digits of numbers', '{"n":1.10,"m":-0,"e":1E+2,"z":100.000}'],
    ['escapes as they were written', '{"s":"\\u0041\\/\\u00e9\\ud83d\\ude00é😀","t":"\\u0000"}'],
    ['white space inside', '{ "s" :  [ 1 ,\t2 ] }'],
  ])('keeps %s', async (_, extra) => {
    const object = indicator();
    const text = `${JSON.stringify(object).slice(0, -1)},"x_extra":${extra}}`;
    const answer = await hub.post(bankToken, url, `{"objects":[\n  ${text}\n]}`);
    expect(answer.statusCode).toBe(202);
    expect(await storedText(object.id)).toBe(text);
  });
});
