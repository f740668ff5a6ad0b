import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { get, post, push, request, shared, waitUntilComplete, writeOnly } from './support/client.ts';
import { indicator, indicators } from './support/stix.ts';
import { target } from './support/target.ts';

describe('status', () => {
  it('§4.3, interop 3.11.1: can be asked for by the id that the POST gave', async () => {
    const posted = (await push(indicators(2))).body;
    const { status, body } = await get(`status/${posted.id}/`);
    expect(status).toBe(200);
    expect(body.id).toBe(posted.id);
    expect(body).toMatchObject({ status: 'complete', total_count: 2, success_count: 2 });
  });

  it('§4.3.1: once complete, it does not change', async () => {
    const complete = await waitUntilComplete((await post(shared, { objects: indicators(2) })).body);
    await push([indicator()]);
    for (let times = 0; times < 3; times += 1)
      expect((await get(`status/${complete.id}/`)).body).toEqual((await get(`status/${complete.id}/`)).body);
    expect((await get(`status/${complete.id}/`)).body).toMatchObject({ ...complete });
  });

  it('§4.3.1: each POST has a status of its own', async () => {
    const object = indicator();
    const ids = [(await push([object])).body.id, (await push([object])).body.id];
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('§4.3.1: request_timestamp, if given, is when the request came', async () => {
    const before = new Date((await get('')).headers.date ?? 0).getTime();
    const { body, headers } = await post(shared, { objects: [indicator()] });
    if (body.request_timestamp === undefined || !headers.date) return;
    // By the server's clock on both sides, of which Date may be a little behind.
    expect(Date.parse(body.request_timestamp)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(body.request_timestamp)).toBeLessThan(new Date(headers.date).getTime() + 60_000);
  });

  it('§4.3: can be asked for after a POST to a write-only collection', async () => {
    const { id } = (await push([indicator()], writeOnly)).body;
    expect((await get(`status/${id}/`)).status).toBe(200);
  });

  it('§4.3: an unknown status is 404', async () => {
    for (const id of [randomUUID(), 'nonsense', '0', '%20', `${randomUUID()}x`, '-'.repeat(36), 'a'.repeat(36)])
      expect((await get(`status/${id}/`)).status, id).toBe(404);
  });

  it.skipIf(!target.other)('App. B: the status of another client is 404', async () => {
    const { id } = (await push([indicator()])).body;
    const foreign = await get(`status/${id}/`, { as: 'other' });
    const unknown = await get(`status/${randomUUID()}/`, { as: 'other' });
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, error_id: '' }).toEqual({ ...unknown.body, error_id: '' });
  });

  it.skipIf(!target.otherApiRoot)('§4.3: a status is not found in another API root', async () => {
    const { id } = (await push([indicator()])).body;
    expect((await request(`${target.otherApiRoot}status/${id}/`)).status).toBe(404);
  });
});
