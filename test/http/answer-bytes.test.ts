import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toConfig } from '../../src/config.ts';
import { findPartner } from '../../src/db/partners.ts';
import { answerBytes } from '../../src/http/answer-bytes.ts';
import { required, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// A page is larger than what the buffers between two sockets take, so that it stays on its way while nobody reads.
const mebibyte = 2 ** 20;
const pageBytesMax = 24 * mebibyte;

let hub: TestHub;
let port: number;
let path: string;
let greedy: string;
let other: string;

beforeAll(async () => {
  hub = await startTestHub({ pageBytesMax, answerBytesInFlightMax: 2 * pageBytesMax, pageCacheBytes: 0 });
  const { alias } = await hub.addCollection();
  const scope = `collection:${alias}:read collection:${alias}:write`;
  greedy = await hub.tokenFor(await hub.addPartner('greedy'), scope);
  other = await hub.tokenFor(await hub.addPartner('other'), scope);
  path = `/hub/collections/${alias}/objects/`;
  const objects = Array.from({ length: 1600 }, () => indicator({ description: 'x'.repeat(13_000) }));
  expect((await hub.post(greedy, path, { objects })).statusCode).toBe(202);
  await hub.app.listen({ port: 0, host: '127.0.0.1' });
  port = (hub.app.server.address() as AddressInfo).port;
});
afterAll(() => hub.close());

const requestOf = (token: string, { from = path, query = '?limit=10000' } = {}) =>
  `GET ${from}${query} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nAuthorization: Bearer ${token}\r\nPrefer: wait=50\r\n\r\n`;

/** Asks for a page of 20 MiB and reads nothing but the beginning of the answer. */
async function askWithoutReading(token: string, from = path, at = port): Promise<Socket> {
  const socket = connect(at, '127.0.0.1');
  socket.write(requestOf(token, { from }));
  await once(socket, 'readable');
  return socket;
}

async function read(token: string, query = '?limit=10000') {
  const headers = { accept: taxii, authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${port}${path}${query}`, { headers });
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

describe('pages that clients do not read', () => {
  it('take room from their partner, until they are gone, and no more than its share from others', async () => {
    const stuck = await askWithoutReading(greedy);
    let isAnswered = false;
    const waiting = read(greedy).then(answer => {
      isAnswered = true;
      return answer;
    });
    const served = await read(other);
    expect(served.status).toBe(200);
    expect(served.body.length).toBeGreaterThan(19 * mebibyte);
    expect(isAnswered).toBe(false);
    stuck.destroy();
    expect(await waiting).toMatchObject({ status: 200, body: served.body });
  });

  it('take none where the client has gone before the page is read', async () => {
    const stuck = await askWithoutReading(greedy);
    const impatient = connect(port, '127.0.0.1');
    impatient.write(requestOf(greedy));
    // It waits for room once a later request of the other partner is answered.
    await read(other);
    impatient.destroy();
    await read(other);
    stuck.destroy();
    expect((await read(greedy)).status).toBe(200);
  });

  it('take none once the connection is gone on which earlier requests were to be answered first', async () => {
    const readObjects = vi.spyOn(hub.hub, 'readObjects');
    const client = connect(port, '127.0.0.1');
    client.write(requestOf(greedy, { query: '?added_after=2999-01-01T00:00:00Z' }) + requestOf(greedy));
    await expect.poll(() => readObjects.mock.calls.length).toBe(1);
    await readObjects.mock.results[0]?.value;
    client.destroy();
    expect((await read(greedy)).status).toBe(200);
  });

  it('leave others with 503 and Retry-After, where they stay for too long', async () => {
    const stuck = await askWithoutReading(greedy);
    const refused = await read(greedy);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    // What takes no room is answered.
    expect((await read(greedy, '?added_after=2999-01-01T00:00:00Z')).body).toBe('{"more":false}');
    stuck.destroy();
    expect((await read(greedy)).status).toBe(200);
  });
});

it('pages that are read give back what they took, whatever becomes of them', async () => {
  const etag = (await hub.get(other, `${path}?limit=10000`)).headers.etag;
  for (let turn = 0; turn < 6; turn += 1) {
    expect((await hub.get(other, `${path}?limit=10000`)).statusCode).toBe(200);
    expect((await hub.request(other, { method: 'HEAD', url: `${path}?limit=10000` })).statusCode).toBe(200);
    const held = { method: 'GET' as const, url: `${path}?limit=10000`, headers: { 'if-none-match': String(etag) } };
    expect((await hub.request(other, held)).statusCode).toBe(304);
    expect((await hub.get(other, `${path}?match[type]=malware`)).json()).toEqual({ more: false });
    expect((await hub.get(other, path.replace('objects', 'manifest'))).statusCode).toBe(200);
    (await askWithoutReading(other)).destroy();
  }
});

it('a large status takes room, too', async () => {
  const partner = required(await findPartner(hub.hub.db, 'greedy'));
  const id = randomUUID();
  const resource = `{"id":"${id}","message":"${'x'.repeat(8 * mebibyte)}"}`;
  await hub.hub.db.insertInto('status').values({ id, api_root: 'hub', partner_id: partner.id, resource }).execute();
  const stuck = await askWithoutReading(greedy);
  const status = hub.get(greedy, `/hub/status/${id}/`).then(answer => answer.body);
  expect((await read(other)).status).toBe(200);
  expect(await Promise.race([status, 'waits'])).toBe('waits');
  stuck.destroy();
  expect(await status).toBe(resource);
});

describe('large events of a stream', () => {
  const object = indicator({ description: 'x'.repeat(20 * mebibyte) });
  let stream: string;
  let reader: string;

  beforeAll(async () => {
    const { alias } = await hub.addCollection();
    const objects = path.replace(/[^/]+\/objects/, `${alias}/objects`);
    const partner = required(await findPartner(hub.hub.db, 'greedy'));
    reader = await hub.tokenFor(partner, `collection:${alias}:read`);
    const token = await hub.tokenFor(await hub.addPartner(), `collection:${alias}:write`);
    expect((await hub.post(token, objects, { objects: [object] })).statusCode).toBe(202);
    stream = `${objects}stream/`;
  });

  it('take room while the client does not read them', async () => {
    const stuck = await askWithoutReading(reader, stream);
    const page = read(greedy).then(answer => `${answer.status}`);
    expect((await read(other)).status).toBe(200);
    expect(await Promise.race([page, 'waits'])).toBe('waits');
    stuck.destroy();
    expect(await page).toBe('200');
  });

  it('give it back once the client has them, while the stream goes on', async () => {
    const socket = await askWithoutReading(reader, stream);
    let bytes = 0;
    socket.on('data', chunk => {
      bytes += chunk.length;
    });
    await expect.poll(() => bytes, { timeout: 20_000 }).toBeGreaterThan(20 * mebibyte);
    expect((await read(greedy)).status).toBe(200);
    socket.destroy();
  });
});

it('the largest pages of ordinary objects are whole, and a partner can have several of them', async () => {
  const { alias } = await hub.addCollection();
  const ordinary = path.replace(/[^/]+\/objects/, `${alias}/objects`);
  const token = await hub.tokenFor(await hub.addPartner(), `collection:${alias}:read collection:${alias}:write`);
  const usual = await startTestHub({}, hub.database);
  await usual.app.listen({ port: 0, host: '127.0.0.1' });
  const { port: usualPort } = usual.app.server.address() as AddressInfo;
  // 750 bytes each.
  const objects = Array.from({ length: 10_000 }, () => indicator({ description: 'x'.repeat(414) }));
  expect((await usual.post(token, ordinary, { objects })).statusCode).toBe(202);
  const stuck = await askWithoutReading(token, ordinary, usualPort);
  const page = await usual.get(token, `${ordinary}?limit=10000`);
  expect(page.json()).toEqual({ more: false, objects });
  stuck.destroy();
  await usual.app.close();
  await Promise.all([usual.hub.watch.close(), usual.hub.replicas.close()]);
});

describe('room', () => {
  // More than what counts as nothing.
  const piece = 100_000;

  /** Sixteen pieces of it in all, of which a partner can have four. */
  async function startRoom() {
    const config = { ...toConfig({}), pageBytesMax: 4 * piece, answerBytesInFlightMax: 16 * piece };
    const app = Fastify();
    await app.register(answerBytes, { config });
    const order: string[] = [];
    return {
      order,
      /** @param ahead what is set aside before it is read. @returns what ends the answer, sent or not */
      async ask(partnerId: string, pieces: number, name = '', ahead = pieces): Promise<() => Promise<void>> {
        const request = { principal: { partnerId }, raw: { socket: new EventEmitter() } } as unknown as FastifyRequest;
        const raw = new EventEmitter();
        const size = { bytesMax: 4 * piece, bytesAhead: ahead * piece, bytesOf: () => pieces * piece };
        app.answerBytes
          .hold(request, { raw } as unknown as FastifyReply, size, () => void order.push(name))
          .catch(error => order.push(`${name}: ${error.code}`));
        await turn();
        return async () => {
          raw.emit('finish');
          await turn();
        };
      },
    };
  }

  it('is given to a partner in the order of its requests, and meanwhile to others', async () => {
    const { ask, order } = await startRoom();
    const send = await ask('one', 3, 'first');
    const sendLarge = await ask('one', 4, 'large');
    await ask('one', 1, 'small');
    await ask('other', 4, 'other');
    expect(order).toEqual(['first', 'other']);
    await send();
    expect(order).toEqual(['first', 'other', 'large']);
    await sendLarge();
    expect(order).toEqual(['first', 'other', 'large', 'small']);
  });

  it('is given to all in the order of their requests, where there is none', async () => {
    const { ask, order } = await startRoom();
    const sendOne = await ask('one', 4, 'one');
    for (const name of ['two', 'three']) await ask(name, 4, name);
    const sendSmall = await ask('four', 3, 'four');
    await ask('five', 4, 'large');
    await ask('six', 1, 'small');
    expect(order).toEqual(['one', 'two', 'three', 'four']);
    await sendSmall();
    expect(order.slice(4)).toEqual(['large']);
    await sendOne();
    expect(order.slice(4)).toEqual(['large', 'small']);
  });

  it('is no longer waited for by a client that has hung up, and what stood behind it goes on', async () => {
    const { ask, order } = await startRoom();
    await ask('one', 3, 'first');
    const hangUp = await ask('one', 4, 'large');
    await ask('one', 1, 'small');
    expect(order).toEqual(['first']);
    await hangUp();
    expect(order.slice(1).sort()).toEqual(['large: overloaded', 'small']);
  });

  it('is waited for by so many requests of a partner that others can wait, too', async () => {
    const { ask, order } = await startRoom();
    for (const name of ['one', 'two', 'three', 'four']) await ask(name, 4);
    order.length = 0;
    for (let n = 0; n < 250; n += 1) await ask('one', 1, 'one');
    expect(order).toEqual([]);
    await ask('one', 1, 'one');
    await ask('five', 1, 'five');
    expect(order).toEqual(['one: overloaded']);
  });

  it('is waited for by what proves to be larger than what was set aside, which is let go and read again', async () => {
    const { ask, order } = await startRoom();
    const send = await ask('one', 3, 'first');
    const sendSmall = await ask('one', 1, 'small', 0);
    await ask('one', 2, 'large', 0);
    await ask('one', 1, 'last', 0);
    expect(order).toEqual(['first', 'small', 'large', 'last']);
    await sendSmall();
    // Not even the last one, for which there would be room.
    expect(order).toHaveLength(4);
    await send();
    expect(order.slice(4)).toEqual(['large', 'last']);
  });

  it('is enough for what is larger than the share of a partner, alone', async () => {
    const { ask, order } = await startRoom();
    const send = await ask('one', 20, 'huge', 1);
    await ask('one', 1, 'small');
    expect(order).toEqual(['huge']);
    await send();
    expect(order).toEqual(['huge', 'small']);
  });
});
