import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { get, idsOf, post, push, query, recordsOf, shared, taxii, waitUntilComplete } from './support/client.ts';
import { domainName, indicator, indicators, malware, revise, statementMarking } from './support/stix.ts';

const detailsOf = (objects: { id: string; modified?: unknown }[]) =>
  objects.map(({ id, modified }) => ({ id, version: modified }));
const without = (list: { message?: string }[] | undefined) => (list ?? []).map(({ message: _, ...detail }) => detail);

describe('POST objects', () => {
  it('§5.5, interop 3.10.1: an envelope is 202 with a status whose counts are consistent', async () => {
    const objects = indicators(3);
    const { status, body } = await post(shared, { objects });
    expect(status).toBe(202);
    expect(body.total_count).toBe(3);
    const complete = await waitUntilComplete(body);
    expect(complete).toMatchObject({ total_count: 3, success_count: 3, failure_count: 0, pending_count: 0 });
  });

  it('§4.3.1: successes, if listed, are the objects with their modified as version', async () => {
    const objects = [indicator({ modified: '2020-03-01T10:00:00.123456Z' }), malware()];
    const { successes } = await waitUntilComplete((await post(shared, { objects })).body);
    if (successes !== undefined) expect(without(successes)).toEqual(detailsOf(objects));
  });

  it('§4.3.1: of an object without modified, created is the version; without both, the server chooses', async () => {
    const objects = [statementMarking(), domainName()] as const;
    const { successes } = await waitUntilComplete((await post(shared, { objects })).body);
    if (successes === undefined) return;
    expect(successes[0].version).toBe(objects[0].created);
    const [record] = await recordsOf([objects[1]]);
    expect(successes[1].version).toBe(record?.version);
  });

  it('§5.5: the exact duplicate of an object is no error, and is not added again', async () => {
    for (const object of [indicator(), statementMarking(), domainName()]) {
      await push([object]);
      const [record] = await recordsOf([object]);
      for (let times = 0; times < 2; times += 1) {
        const { status, body } = await post(shared, { objects: [object] });
        expect(status).toBe(202);
        expect(await waitUntilComplete(body)).toMatchObject({ total_count: 1, success_count: 1, failure_count: 0 });
      }
      expect(await recordsOf([object])).toEqual([record]);
    }
  });

  it('§5.5: an object twice in one envelope is no error, and is added once', async () => {
    const object = indicator();
    const { body } = await post(shared, { objects: [object, object] });
    expect(await waitUntilComplete(body)).toMatchObject({ total_count: 2, failure_count: 0 });
    expect((await recordsOf([object])).length).toBe(1);
  });

  it('§5.5: several versions in one envelope are all kept', async () => {
    const first = indicator();
    const versions = [first, revise(first, '2020-03-02T00:00:00.000Z'), revise(first, '2020-03-03T00:00:00.000Z')];
    await push([versions[1], versions[0], versions[2]] as typeof versions);
    const { body } = await get(`${shared}objects/${first.id}/versions/`);
    expect([...body.versions].sort()).toEqual(versions.map(version => version.modified));
    expect((await get(`${shared}objects/${first.id}/`)).body.objects).toEqual([versions[2]]);
  });

  it('§3.7: a bundle within an envelope is not stored', async () => {
    const inner = indicator();
    const bundle = { type: 'bundle', id: `bundle--${inner.id.split('--')[1]}`, objects: [inner] };
    const good = indicator();
    const { status, body } = await post(shared, { objects: [bundle, good] });
    expect([202, 400, 422]).toContain(status);
    if (status === 202)
      expect(await waitUntilComplete(body)).toMatchObject({ total_count: 2, success_count: 1, failure_count: 1 });
    expect((await get(`${shared}objects/${bundle.id}/`)).status).toBe(404);
    expect((await get(`${shared}objects/${inner.id}/`)).status).toBe(404);
  });

  it('§4.3.1, interop 3.11.2: where an object cannot be added, the status says so of it alone', async () => {
    const good = indicators(2);
    const bad = { type: 'indicator', id: 'not-an-identifier' };
    const { status, body } = await post(shared, { objects: [good[0], bad, good[1]] });
    expect([202, 400, 422]).toContain(status);
    if (status !== 202) return;
    const complete = await waitUntilComplete(body);
    expect(complete).toMatchObject({ total_count: 3, success_count: 2, failure_count: 1 });
    if (complete.failures) expect(complete.failures[0].message).toBeTruthy();
    expect(
      idsOf((await get(`${shared}objects/${query({ 'match[id]': idsOf(good).join(',') })}`)).body.objects),
    ).toEqual(idsOf(good));
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'nonsense'],
    ['JSON that is cut off', '{"objects":[{"type":"indicator"'],
    ['a list', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['objects that are no list', '{"objects":{}}'],
    ['objects that are null', '{"objects":null}'],
    ['an element that is no object', '{"objects":[1]}'],
    ['an element without anything', '{"objects":[{}]}'],
    ['bytes that are not UTF-8', Buffer.from('{"objects":[{"type":"\xff"}]}', 'latin1')],
    ['text after the envelope', '{"objects":[]} x'],
  ])('§5.5: %s as the body is 400 or 422', async (_what, body) => {
    expect([400, 422]).toContain((await post(shared, body)).status);
  });

  it('§5.5: a body cut off after good objects stores none of them', async () => {
    const [object] = indicators(1);
    const text = JSON.stringify({ objects: [object, indicator()] }).slice(0, -20);
    expect([400, 422]).toContain((await post(shared, text)).status);
    expect((await get(`${shared}objects/${object?.id}/`)).status).toBe(404);
  });

  it('§7.1.1: custom properties of the envelope are ignored, or are 422', async () => {
    const object = indicator();
    const { status } = await post(shared, { objects: [object], x_example_com_run: { number: 1 } });
    expect([202, 422]).toContain(status);
    if (status === 202) expect((await get(`${shared}objects/${object.id}/`)).body.objects).toEqual([object]);
  });

  it('interop 3.15.1: custom properties of an object are kept', async () => {
    const object = indicator({ x_example_score: 7, x_example_list: [{ a: [1, 2] }], x_example_text: 'ü' });
    await push([object]);
    expect((await get(`${shared}objects/${object.id}/`)).body.objects).toEqual([object]);
  });

  it('a custom type, as MISP and ATT&CK push them, is kept', async () => {
    const object = {
      ...indicator(),
      type: 'x-example-object',
      id: indicator().id.replace('indicator', 'x-example-object'),
    };
    await push([object]);
    expect(
      (await get(`${shared}objects/${query({ 'match[type]': 'x-example-object', 'match[id]': object.id })}`)).body
        .objects,
    ).toEqual([object]);
  });

  it('more and next in a posted envelope do no harm', async () => {
    const object = indicator();
    expect((await post(shared, { more: false, objects: [object] })).status).toBe(202);
    expect((await get(`${shared}objects/${object.id}/`)).status).toBe(200);
  });

  it('RFC 9112: a chunked body is read', async () => {
    const object = indicator();
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await post(shared, { objects: [object] }, { headers })).status).toBe(202);
  });

  it('curl: Expect: 100-continue is answered', async () => {
    const answer = await post(
      shared,
      { objects: [indicator()] },
      { headers: { expect: '100-continue', 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    );
    expect(answer.status).toBe(202);
  });

  it('a compressed body is understood, or refused as what it is', async () => {
    const body = gzipSync(JSON.stringify({ objects: [indicator()] }));
    const { status } = await post(shared, body, { headers: { 'content-encoding': 'gzip', 'content-type': taxii } });
    expect([202, 400, 415]).toContain(status);
  });
});
