import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type MockInstance, vi } from 'vitest';
import type { CollectionRow } from '../../src/db/collections.ts';
import { putGrant } from '../../src/db/grants.ts';
import { type PartnerRow, setPartnerState } from '../../src/db/partners.ts';
import type { Watch } from '../../src/db/watch.ts';
import { countReads } from '../support/count-reads.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// GET …/objects/ with `Prefer: wait=…` (RFC 7240 §4.3): held until there is something for this reader, or the time is over.

const red = 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1';

let hub: TestHub;
let other: TestHub['app'];
let collection: CollectionRow;
let partner: PartnerRow;
let token: string;
let writer: string;
let changed: MockInstance<Watch['changed']>;
let made = 0;

const soon = { timeout: 20_000 };

const ship = (n: number) => ({ type: 'x-ship', id: `x-ship--22222222-2222-4222-8222-00000000000${n}` });

beforeAll(async () => {
  hub = await startTestHub({ stalenessMsMax: 250 });
  other = await hub.addNode();
  changed = vi.spyOn(hub.hub.watch, 'changed');
});
afterAll(() => hub.close());

/** A collection, a partner that reads in it, and one that writes. */
async function prepare(): Promise<string> {
  const alias = `waiting-${++made}`;
  collection = await hub.addCollection({ alias });
  partner = await hub.addPartner();
  token = await hub.tokenFor(partner, `collection:${alias}:read`);
  writer = await hub.tokenFor(await hub.addPartner(), `collection:${alias}:write`);
  return `/hub/collections/${alias}/objects/`;
}

const wait = (url: string, { seconds = 30, app = hub.app, credential = token } = {}) =>
  app.inject({ url, headers: { accept: taxii, authorization: `Bearer ${credential}`, prefer: `wait=${seconds}` } });

async function add(url: string, ...objects: object[]): Promise<void> {
  expect((await hub.post(writer, url, { objects })).statusCode).toBe(202);
}

/** Whether it is not answered, although there was time for it. */
async function stillWaits(answer: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([answer, sleep(1200, 'waits')])) === 'waits';
}

/** Begins to wait. */
async function begin(url: string, credential = token) {
  const calls = changed.mock.calls.length;
  const answer = wait(url, { credential });
  await expect.poll(() => changed.mock.calls.length, soon).toBeGreaterThan(calls);
  // In an object, since a promise that an async function returns is awaited.
  return { answer };
}

describe('a poll that would rather wait', () => {
  it('is answered when there is something, on the node where it came in and on others', async () => {
    const url = await prepare();
    for (const app of [hub.app, other]) {
      const last = (await wait(url, { seconds: 0 })).headers['x-taxii-date-added-last'];
      const answer = wait(`${url}?added_after=${last}`, { app });
      expect(await stillWaits(answer)).toBe(true);
      const object = indicator();
      await add(url, object);
      const { statusCode, headers, json } = await answer;
      expect(statusCode).toBe(200);
      expect(json()).toEqual({ more: false, objects: [object] });
      expect(headers).toMatchObject({ 'preference-applied': 'wait=30', vary: 'Prefer', 'content-type': taxii });
    }
  });

  it('is answered as any other when the time is over', async () => {
    const url = await prepare();
    await add(url, indicator());
    const last = (await hub.get(token, url)).headers['x-taxii-date-added-last'];
    const plain = await hub.get(token, `${url}?added_after=${last}`);
    expect(plain.headers).toMatchObject({ vary: 'Prefer' });
    expect(plain.headers).not.toHaveProperty('preference-applied');
    const waited = await wait(`${url}?added_after=${last}`, { seconds: 1 });
    expect(waited.json()).toEqual({ more: false });
    expect(waited.headers).toMatchObject({
      'preference-applied': 'wait=1',
      'x-taxii-date-added-last': plain.headers['x-taxii-date-added-last'],
    });
  });

  it('is answered at once where there is something already', async () => {
    const url = await prepare();
    await add(url, indicator());
    const answer = await wait(url, { seconds: 999 });
    expect(answer.json().objects).toHaveLength(1);
    // What the hub would have granted at the most.
    expect(answer.headers).toMatchObject({ 'preference-applied': 'wait=50' });
  });

  it('waits for what is for this reader and matches, and for nothing else', async () => {
    const url = await prepare();
    const { answer } = await begin(`${url}?match[type]=x-ship`);
    await add(url, indicator());
    await add(url, indicator({ ...ship(1), object_marking_refs: [red] }));
    expect(await stillWaits(answer)).toBe(true);
    const seen = indicator(ship(2));
    await add(url, seen);
    expect((await answer).json().objects).toEqual([seen]);
  });

  it('gets what a raised ceiling uncovers, although it was added before', async () => {
    const url = await prepare();
    const { answer } = await begin(url);
    const object = indicator({ object_marking_refs: [red] });
    await add(url, object);
    expect(await stillWaits(answer)).toBe(true);
    await putGrant(hub.hub.db, partner.id, collection.id, { can_read: true, can_write: false, tlp_ceiling: 4 });
    expect((await answer).json().objects).toEqual([object]);
  });

  it('ends when the grant, the token or the partner is gone', async () => {
    const url = await prepare();
    const { answer: granted } = await begin(url);
    await hub.revokeGrant(partner, collection);
    expect((await granted).statusCode).toBe(404);

    await hub.tokenFor(partner, `collection:${collection.alias}:read`);
    const { answer: trusted } = await begin(url);
    await hub.hub.db.transaction().execute(tx => setPartnerState(tx, partner.slug, 'disabled'));
    expect((await trusted).statusCode).toBe(401);
  });

  it('ends when the token expires', async () => {
    const url = await prepare();
    const credential = await hub.tokenFor(partner, `collection:${collection.alias}:read`, 2000);
    expect((await wait(url, { credential })).statusCode).toBe(401);
  });
});

describe('clients that wait', () => {
  it('are bounded by node and by partner, until they hang up', async () => {
    const small = await startTestHub({ waitingMax: 4 });
    await small.app.listen({ port: 0 });
    const { port } = small.app.server.address() as AddressInfo;
    await small.addCollection({ alias: 'small' });
    const tokens = [];
    for (let n = 0; n < 5; n += 1) tokens.push(await small.tokenFor(await small.addPartner(), 'collection:small:read'));
    const url = '/hub/collections/small/objects/';
    const changed = vi.spyOn(small.hub.watch, 'changed');
    const hold = async (credential: string) => {
      const calls = changed.mock.calls.length;
      const headers = { authorization: `Bearer ${credential}`, prefer: 'wait=50' };
      const client = http.get({ port, path: url, headers });
      client.on('error', () => {});
      await expect.poll(() => changed.mock.calls.length, soon).toBeGreaterThan(calls);
      return client;
    };
    const isHeld = async (credential: string) => {
      const answer = await small.request(credential, { url, headers: { prefer: 'wait=1' } });
      expect(answer.statusCode).toBe(200);
      return 'preference-applied' in answer.headers;
    };
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = tokens;
    const waiting = [await hold(first)];
    expect(await isHeld(first)).toBe(false);
    expect(await isHeld(second)).toBe(true);
    for (const credential of [second, third, fourth]) waiting.push(await hold(credential));
    expect(await isHeld(fifth)).toBe(false);
    for (const client of waiting) client.destroy();
    for (const credential of [fifth, first]) {
      await expect.poll(() => isHeld(credential), soon).toBe(true);
    }
    await small.close();
  });

  it.each(['', 'stream/'])(
    'count no longer once their connection is gone, whose turn it was not yet: …/objects/%s',
    async last => {
      const small = await startTestHub({ waitingMax: 8 });
      await small.app.listen({ port: 0, host: '127.0.0.1' });
      const { port } = small.app.server.address() as AddressInfo;
      await small.addCollection({ alias: 'small' });
      const credential = await small.tokenFor(await small.addPartner(), 'collection:small:read');
      const url = '/hub/collections/small/objects/';
      const changed = vi.spyOn(small.hub.watch, 'changed');
      const client = connect(port, '127.0.0.1');
      for (const path of [url, `${url}${last}`]) {
        client.write(
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${credential}\r\nPrefer: wait=50\r\n\r\n`,
        );
      }
      // Of this partner two can wait.
      await expect.poll(() => changed.mock.calls.length, soon).toBeGreaterThanOrEqual(2);
      client.destroy();
      const areHeld = async () => {
        const ask = () => small.request(credential, { url, headers: { prefer: 'wait=1' } });
        return (await Promise.all([ask(), ask()])).every(({ headers }) => 'preference-applied' in headers);
      };
      await expect.poll(areHeld, soon).toBe(true);
      await small.close();
    },
  );

  it('are all answered when the hub stops', async () => {
    const stopping = await startTestHub();
    await stopping.app.listen({ port: 0 });
    const { port } = stopping.app.server.address() as AddressInfo;
    await stopping.addCollection({ alias: 'stopping' });
    const credential = await stopping.tokenFor(await stopping.addPartner(), 'collection:stopping:read');
    const changed = vi.spyOn(stopping.hub.watch, 'changed');
    const answers = [1, 2, 3].map(async () => {
      const headers = { authorization: `Bearer ${credential}`, prefer: 'wait=50' };
      const [answer] = await once(
        http.get({ port, path: '/hub/collections/stopping/objects/', headers, agent: new http.Agent() }),
        'response',
      );
      return { status: answer.statusCode, connection: answer.headers.connection, body: await answer.toArray() };
    });
    await expect.poll(() => changed.mock.calls.length, soon).toBeGreaterThanOrEqual(3);
    await stopping.app.close();
    for (const { status, connection, body } of await Promise.all(answers)) {
      expect({ status, connection, body: String(body) }).toEqual({
        status: 200,
        connection: 'close',
        body: '{"more":false}',
      });
    }
    await stopping.close();
  });

  it('read a few pages at a time when they are woken', async () => {
    const url = await prepare();
    const reads = countReads(hub.hub);
    // Each asks for a page of its own.
    const answers = [];
    for (let n = 1; n <= 12; n += 1) answers.push((await begin(`${url}?limit=${n}`)).answer);
    await add(url, indicator());
    for (const answer of answers) expect((await answer).json().objects).toHaveLength(1);
    expect(reads.most).toBe(4);
    vi.restoreAllMocks();
  });

  it('slow no other request of their partner down', async () => {
    const paced = await startTestHub({ requestsPerMinute: 60 });
    await paced.addCollection({ alias: 'paced' });
    const credential = await paced.tokenFor(await paced.addPartner(), 'collection:paced:read');
    const get = (seconds: number) =>
      paced.request(credential, { url: '/hub/collections/paced/objects/', headers: { prefer: `wait=${seconds}` } });
    const changed = vi.spyOn(paced.hub.watch, 'changed');
    const waiting = Array.from({ length: 30 }, () => get(5));
    await expect.poll(() => changed.mock.calls.length, soon).toBeGreaterThanOrEqual(30);
    await get(0);
    const held = paced.log.map(line => JSON.parse(line).heldMs ?? 0);
    // One of 26 that are left of the minute; with those that wait, it would be held as long as any may be.
    expect(Math.max(...held)).toBeLessThan(3000);
    await Promise.all(waiting);
    await paced.close();
  });
});
