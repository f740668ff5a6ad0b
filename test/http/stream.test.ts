import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import type { CollectionRow } from '../../src/db/collections.ts';
import { type PartnerRow, setPartnerState } from '../../src/db/partners.ts';
import { openDatabase } from '../../src/db/pool.ts';
import { createHub } from '../../src/hub.ts';
import { replay } from '../../src/taxii/replay.ts';
import { countReads } from '../support/count-reads.ts';
import { type EventStream, openStream } from '../support/event-stream.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { startRelay } from '../support/relay.ts';
import { type Indicator, indicator, indicators, revise } from '../support/stix.ts';

// GET …/objects/stream/: the pages of a poller, as Server-Sent Events over real connections.

const red = 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1';

let hub: TestHub;
let nodes: TestHub['app'][];
let collection: CollectionRow;
let partner: PartnerRow;
let token: string;
let writer: string;
let url: string;
let made = 0;
const opened: EventStream[] = [];

beforeAll(async () => {
  hub = await startTestHub({ stalenessMsMax: 250 });
  nodes = [hub.app, await hub.addNode()];
  for (const node of nodes) await node.listen({ port: 0 });
});
afterAll(async () => {
  for (const stream of opened) stream.close();
  await hub.close();
});

/** A collection, a partner that reads in it, and one that writes. */
async function prepare(): Promise<void> {
  const alias = `stream-${++made}`;
  collection = await hub.addCollection({ alias });
  partner = await hub.addPartner();
  token = await hub.tokenFor(partner, `collection:${alias}:read`);
  writer = await hub.tokenFor(await hub.addPartner(), `collection:${alias}:write`);
  url = `/hub/collections/${alias}/objects/`;
}

async function open(query = '', headers: Record<string, string> = {}, node = 0): Promise<EventStream> {
  const authorization = `Bearer ${token}`;
  const stream = await openStream(nodes[node] as TestHub['app'], `${url}stream/${query}`, {
    authorization,
    ...headers,
  });
  opened.push(stream);
  return stream;
}

async function add(...objects: object[]): Promise<void> {
  expect((await hub.post(writer, url, { objects })).statusCode).toBe(202);
}

/** The next objects of a stream, so many of them, and the id of the last event. */
async function take(stream: EventStream, count: number): Promise<{ objects: Indicator[]; id: string }> {
  const objects: Indicator[] = [];
  let id = '';
  while (objects.length < count) {
    const { value, done } = await stream.events.next();
    if (done) throw new Error('the stream ended');
    const envelope = JSON.parse(value.data);
    expect(envelope).toEqual({ more: false, objects: expect.any(Array) });
    objects.push(...envelope.objects);
    ({ id } = value);
  }
  return { objects, id };
}

const hasEnded = async (stream: EventStream) => (await stream.events.next()).done;

describe('a stream', () => {
  it('begins where a poll would, and goes on with what is added on any node', async () => {
    await prepare();
    const before = indicators(3);
    await add(...before);
    const [all, late, other] = [await open(), await open('?added_after=2999-01-01T00:00:00Z'), await open('', {}, 1)];
    expect(all.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    for (const stream of [all, other]) expect((await take(stream, 3)).objects).toEqual(before);
    const after = indicator();
    await add(after);
    for (const stream of [all, other]) expect((await take(stream, 1)).objects).toEqual([after]);
    late.close();
  });

  it('goes on after the event that a client has seen last, and by `next` of a poll or the other way round', async () => {
    await prepare();
    const objects = indicators(5);
    await add(...objects);
    const { id } = await take(await open('?limit=2'), 2);
    for (const stream of [await open('', { 'last-event-id': id }), await open(`?next=${id}`, {}, 1)]) {
      expect((await take(stream, 3)).objects).toEqual(objects.slice(2));
    }
    expect((await hub.get(token, `${url}?next=${id}`)).json().objects).toEqual(objects.slice(2));
    const { next } = (await hub.get(token, `${url}?limit=4`)).json();
    expect((await take(await open('', { 'last-event-id': next }), 1)).objects).toEqual(objects.slice(4));
  });

  it('sends a hundred objects in an event at the most', async () => {
    await prepare();
    const objects = indicators(250);
    await add(...objects);
    for (const stream of [await open(), await open('?limit=1000')]) {
      const events = [await take(stream, 1), await take(stream, 1), await take(stream, 1)];
      expect(events.flatMap(event => event.objects)).toEqual(objects);
      expect(events[0]?.objects).toHaveLength(100);
    }
  });

  it('keeps to its filters, and so does whoever goes on', async () => {
    await prepare();
    const stream = await open('?match[type]=x-ship');
    const ship = indicator({ type: 'x-ship', id: 'x-ship--22222222-2222-4222-8222-222222222222' });
    await add(indicator(), ship, indicator());
    const { objects, id } = await take(stream, 1);
    expect(objects).toEqual([ship]);
    const headers = { 'last-event-id': id };
    expect((await open('?match[type]=indicator', headers)).status).toBe(400);
    const next = revise(ship, '2026-05-01T00:00:00.000Z');
    await add(indicator(), next);
    expect((await take(await open('', headers), 1)).objects).toEqual([next]);
  });

  it('holds what its reader may see; a raised ceiling and a replay bring the rest', async () => {
    await prepare();
    const stream = await open();
    const [open1, hidden, open2] = [indicator(), indicator({ object_marking_refs: [red] }), indicator()];
    await add(open1, hidden, open2);
    expect((await take(stream, 2)).objects).toEqual([open1, open2]);
    await changeGrant(hub.hub.db, partner, collection, operator, () => ({ tlp_ceiling: 4 }));
    await replay(hub.hub.db, partner, collection.id, { since: undefined, actor: operator });
    expect((await take(stream, 1)).objects).toEqual([hidden]);
  });

  it('is noted as handed out', async () => {
    await prepare();
    const object = indicator();
    const stream = await open();
    const owner = await hub.addPartner();
    const ownerToken = await hub.tokenFor(
      owner,
      `collection:${collection.alias}:read collection:${collection.alias}:write`,
    );
    await hub.post(ownerToken, url, { objects: [object] });
    await take(stream, 1);
    const answer = await hub.get(ownerToken, `${url}${object.id}/deliveries/`);
    expect(JSON.stringify(answer.json())).toContain('"delivered_to":[{"sector":"finance"');
  });

  it('carries objects with line breaks between their tokens', async () => {
    await prepare();
    const object = indicator({ name: 'Ж\u2028x' });
    const text = JSON.stringify(object, null, 2).replaceAll('\n', '\r\n');
    expect((await hub.post(writer, url, `{"objects":[${text}]}`)).statusCode).toBe(202);
    expect((await take(await open(), 1)).objects).toEqual([object]);
  });

  it('ends when the grant is taken, the partner disabled or the token expired', async () => {
    await prepare();
    const granted = await open();
    await hub.revokeGrant(partner, collection);
    expect(await hasEnded(granted)).toBe(true);
    expect((await open()).status).toBe(404);

    token = await hub.tokenFor(partner, `collection:${collection.alias}:read`);
    const enabled = await open();
    await hub.hub.db.transaction().execute(tx => setPartnerState(tx, partner.slug, 'disabled'));
    expect(await hasEnded(enabled)).toBe(true);
    expect((await open()).status).toBe(401);

    await hub.hub.db.transaction().execute(tx => setPartnerState(tx, partner.slug, 'enabled'));
    token = await hub.tokenFor(partner, `collection:${collection.alias}:read`, 1500);
    expect(await hasEnded(await open())).toBe(true);
  });

  it('is refused in TAXII, where it is', async () => {
    await prepare();
    const refusals: [string, Record<string, string>, number][] = [
      ['', { accept: taxii }, 406],
      ['', { authorization: 'Bearer no' }, 401],
      ['?added_after=yesterday', {}, 400],
      ['', { 'last-event-id': 'mine' }, 400],
    ];
    for (const [query, headers, status] of refusals) {
      const stream = await open(query, headers);
      expect({ query, status: stream.status, type: stream.headers['content-type'] }).toEqual({
        query,
        status,
        type: taxii,
      });
    }
    expect((await open('', { accept: 'text/event-stream' })).status).toBe(200);
    const head = await hub.request(token, { method: 'HEAD', url: `${url}stream/`, headers: { accept: '*/*' } });
    expect([head.statusCode, head.headers['content-type'], head.body]).toEqual([200, 'text/event-stream', '']);
  });
});

describe('streams while any number of writers commit', () => {
  it('hand out every version exactly once and in order, however often their clients come again', async () => {
    await prepare();
    const written: string[] = [];
    const nameOf = ({ id, modified }: Indicator) => `${id} ${modified}`;
    const write = async (turn: number) => {
      const credential = await hub.tokenFor(await hub.addPartner(), `collection:${collection.alias}:write`);
      for (let batch = 0; batch < 10; batch += 1) {
        const objects = indicators(1 + ((turn * 31 + batch * 17) % 30)).flatMap((object, index) =>
          index % 5 === 4 ? [object, revise(object, '2026-05-01T00:00:00.000Z')] : [object],
        );
        const answer = await nodes[turn % 2]?.inject({
          method: 'POST',
          url,
          headers: { accept: taxii, 'content-type': taxii, authorization: `Bearer ${credential}` },
          payload: JSON.stringify({ objects }),
        });
        expect(answer?.json()).toMatchObject({ failure_count: 0 });
        written.push(...objects.map(nameOf));
      }
    };
    let isOver = false;
    const follow = async (turn: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let id = '', comings = turn; ; comings += 1) {
        const headers = id ? { 'last-event-id': id } : {};
        const stream = await open(
          `?match[version]=all&limit=${7 + turn}`,
          headers as Record<string, string>,
          comings % 2,
        );
        // Hangs up after some events, wherever that is.
        for (let events = 0; events < 1 + ((comings * 5) % 7); events += 1) {
          const next = await Promise.race([stream.events.next(), sleep(1000)]);
          if (!next) {
            stream.close();
            if (isOver) return seen;
            break;
          }
          if (next.done) break;
          ({ id } = next.value);
          seen.push(...JSON.parse(next.value.data).objects.map(nameOf));
        }
        stream.close();
      }
    };
    const following = [0, 1, 2].map(follow);
    await Promise.all([0, 1, 2, 3].map(write));
    isOver = true;
    const [first = [], ...others] = await Promise.all(following);
    expect([...first].sort()).toEqual([...written].sort());
    for (const seen of others) expect(seen).toEqual(first);
  });
});

describe('streams of a node', () => {
  it('read a few pages at a time where their clients come again together', async () => {
    await prepare();
    await add(...indicators(12));
    const reads = countReads(hub.hub);
    // Each asks for a page of its own.
    const streams = await Promise.all(Array.from({ length: 12 }, (_, n) => open(`?limit=${n + 1}`)));
    for (const stream of streams) await take(stream, 12);
    expect(reads.most).toBe(4);
    vi.restoreAllMocks();
  });

  it('are bounded, end at once when it stops, and take nothing with them', async () => {
    const small = await startTestHub({ waitingMax: 8 });
    await small.app.listen({ port: 0 });
    const { alias } = await small.addCollection();
    const reader = await small.addPartner();
    const authorization = `Bearer ${await small.tokenFor(reader, `collection:${alias}:read collection:${alias}:write`)}`;
    const path = `/hub/collections/${alias}/objects/stream/`;
    const streams = [await openStream(small.app, path, { authorization })];
    streams.push(await openStream(small.app, path, { authorization }));
    const refused = await openStream(small.app, path, { authorization });
    expect(refused.status).toBe(503);
    expect(refused.headers).toMatchObject({ 'content-type': taxii, 'retry-after': '5' });
    streams[0]?.close();
    await expect
      .poll(async () => (await openStream(small.app, path, { authorization })).status, { timeout: 20_000 })
      .toBe(200);

    // The other client takes nothing, and must not hold up the end. This is more than the system takes for it.
    const objects = Array.from({ length: 140 }, () => indicator({ description: 'x'.repeat(200_000) }));
    const token = authorization.slice(7);
    const record = vi.spyOn(small.hub.receipts, 'record');
    expect((await small.post(token, path.replace('stream/', ''), { objects })).statusCode).toBe(202);
    // Until nothing has been sent for a second.
    for (let calls = -1; calls < record.mock.calls.length; await sleep(1000)) calls = record.mock.calls.length;
    expect(record.mock.calls.length).toBeGreaterThan(0);
    await small.app.close();
    await small.close();
  });

  it('outlive a database that is away, and so do polls that wait', async () => {
    await prepare();
    const relay = await startRelay(hub.database.connection);
    const db = openDatabase({ connection: relay.connection, connectionsMax: 5, onError: () => {} });
    const another = await createHub(hub.hub.config, db, { announcements: relay.connection });
    const app = await buildApp(another, pino({ level: 'silent' }));
    await app.listen({ port: 0 });
    const headers = { authorization: `Bearer ${token}` };
    const stream = await openStream(app, `${url}stream/`, headers);
    const waiting = app.inject({ url, headers: { ...headers, prefer: 'wait=50' } });
    await sleep(300);
    relay.setAway(true);
    const object = indicator();
    await add(object);
    await expect.poll(async () => (await app.inject({ url, headers })).statusCode).toBe(503);
    await sleep(1000);
    relay.setAway(false);
    expect((await take(stream, 1)).objects).toEqual([object]);
    expect((await waiting).json().objects).toEqual([object]);
    await app.close();
    await another.watch.close();
    await db.destroy();
    await relay.close();
  });
});
