import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { PartnerRow } from '../../src/db/partners.ts';
import { EmptyPolls } from '../../src/taxii/empty-polls.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// What is asked again and again, and answered from memory. That nothing changes by it is tested in page-cache.test.ts.

let hub: TestHub;
let partner: PartnerRow;
let token: string;
const answering = vi.spyOn(EmptyPolls.prototype, 'answer');

beforeAll(async () => {
  hub = await startTestHub();
  partner = await hub.addPartner('poller');
});
afterAll(() => hub.close());

/** A poll at the end of a new collection, which was answered once. */
async function prepare() {
  const collection = await hub.addCollection();
  token = await hub.tokenFor(partner, `collection:${collection.id}:read collection:${collection.id}:write`);
  const path = `/hub/collections/${collection.id}/objects/`;
  const push = () => hub.post(token, path, { objects: [indicator()] });
  await push();
  const { headers } = await hub.get(token, path);
  const url = `${path}?added_after=${headers['x-taxii-date-added-last']}`;
  const first = await hub.get(token, url);
  expect(first.json()).toEqual({ more: false });
  answering.mockClear();
  return { collection, url, first, push };
}

const wasKept = () => answering.mock.results.at(-1)?.value !== undefined;

it('is the same answer, for another partner, too', async () => {
  const { collection, url, first } = await prepare();
  const other = await hub.tokenFor(await hub.addPartner(), `collection:${collection.id}:read`);
  // Its grant has changed the collection's row.
  await hub.get(token, url);
  for (const whose of [token, other]) {
    const again = await hub.get(whose, url);
    expect(wasKept()).toBe(true);
    const { 'x-request-id': _, date: __, ...headers } = again.headers;
    expect(first.headers).toMatchObject(headers);
    expect(again.body).toBe(first.body);
  }
});

it('is nothing for who may not read there, or not any more', async () => {
  const { collection, url } = await prepare();
  const { id } = await hub.addCollection();
  const stranger = await hub.tokenFor(await hub.addPartner(), `collection:${id}:read`);
  expect((await hub.get(stranger, url)).statusCode).toBe(404);
  await hub.revokeGrant(partner, collection);
  expect((await hub.get(token, url)).statusCode).toBe(404);
});

it('is another one as soon as there is an object', async () => {
  const { url, push } = await prepare();
  await push();
  expect((await hub.get(token, url)).json().objects).toHaveLength(1);
  expect(wasKept()).toBe(false);
});

it('is 304 with the ETag, has no body for HEAD, and is no answer for who would rather wait', async () => {
  const { url, first, push } = await prepare();
  const ask = (headers: Record<string, string>) => hub.request(token, { url, headers });
  expect((await ask({ 'if-none-match': String(first.headers.etag) })).statusCode).toBe(304);
  expect(wasKept()).toBe(true);
  const head = await hub.request(token, { method: 'HEAD', url });
  expect({ body: head.body, etag: head.headers.etag }).toEqual({ body: '', etag: first.headers.etag });
  const waiting = ask({ prefer: 'wait=20' });
  await expect.poll(() => answering.mock.calls.length).toBe(3);
  expect(wasKept()).toBe(false);
  await push();
  expect((await waiting).json().objects).toHaveLength(1);
});
