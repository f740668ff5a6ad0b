import { ServerResponse } from 'node:http';
import { sql } from 'kysely';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PartnerRow, setPartnerAddresses, setPartnerState } from '../../src/db/partners.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// Polls that a client sends again over its connection (ARCHITECTURE.md, invariant 15), with the staleness that operators have.

const hubs: TestHub[] = [];
const origins = new Map<TestHub, string>();
const clients: Client[] = [];
let hub: TestHub;
const writing = vi.spyOn(ServerResponse.prototype, 'writeHead');

async function startHub(settings: Parameters<typeof startTestHub>[0] = {}) {
  const started = await startTestHub({ stalenessMsMax: 250, ...settings });
  hubs.push(started);
  origins.set(started, await started.app.listen({ port: 0, host: '127.0.0.1' }));
  return started;
}

beforeAll(async () => {
  hub = await startHub();
});
afterAll(async () => {
  await Promise.all(clients.map(client => client.destroy()));
  await Promise.all(hubs.map(one => one.close()));
});

interface Poller {
  partner: PartnerRow;
  token: string;
  collection: Awaited<ReturnType<TestHub['addCollection']>>;
  path: string;
  push(): Promise<unknown>;
  ask(headers?: Record<string, string>, request?: { method?: 'GET' | 'HEAD'; path?: string }): Promise<Answer>;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  /** whether it was what the connection had been answered before */
  isRepeated: boolean;
}

/** A client at the end of a collection of its own, which has been told so over its one connection. */
async function startPoller(at = hub, ttlMs?: number): Promise<Poller> {
  const collection = await at.addCollection();
  const partner = await at.addPartner();
  const scope = `collection:${collection.id}:read collection:${collection.id}:write`;
  const token = await at.tokenFor(partner, scope, ttlMs);
  const objects = `/hub/collections/${collection.id}/objects/`;
  const push = () => at.post(token, objects, { objects: [indicator()] });
  await push();
  const { headers } = await at.get(token, objects);
  const poll = `${objects}?added_after=${headers['x-taxii-date-added-last']}`;
  const client = new Client(String(origins.get(at)), { pipelining: 1 });
  clients.push(client);
  const ask: Poller['ask'] = async (more = {}, { method = 'GET', path = poll } = {}) => {
    const sent = { accept: taxii, authorization: `Bearer ${token}`, ...more };
    const { statusCode, headers, body } = await client.request({ method, path, headers: sent });
    const isRepeated = Array.isArray(writing.mock.lastCall?.[1]);
    return { status: statusCode, headers, body: await body.text(), isRepeated };
  };
  await untilRepeated(ask);
  return { partner, token, collection, path: poll, push, ask };
}

/** Soon after a change of trust, who holds a token is found out anew each second. */
async function untilRepeated(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask();
  for (let more = 20; !answer.isRepeated && more > 0; more -= 1) answer = await ask();
  expect(answer.isRepeated).toBe(true);
  return answer;
}

describe('a poll that comes again over its connection', () => {
  it('is answered as it was, under an id of its own, and noted as any other', async () => {
    const { partner, path, ask } = await startPoller();
    const first = await ask({ accept: '*/*' });
    expect(first.isRepeated).toBe(false);
    const again = await untilRepeated(() => ask({ accept: '*/*' }));
    expect({ status: again.status, body: again.body }).toEqual({ status: 200, body: '{"more":false}' });
    const { date: _, 'x-request-id': id, ...headers } = again.headers;
    expect(first.headers).toMatchObject(headers);
    expect(Object.keys(again.headers)).toEqual(Object.keys(first.headers));
    expect(id).not.toBe(first.headers['x-request-id']);
    await expect
      .poll(() => hub.log.map(line => JSON.parse(line)).find(({ reqId }) => reqId === id))
      .toMatchObject({ partner: partner.slug, operation: 'getObjects', path, status: 200 });
  });

  it('has its object as soon as there is one', async () => {
    const { push, ask } = await startPoller();
    await push();
    expect(JSON.parse((await ask()).body).objects).toHaveLength(1);
    await push();
    expect(JSON.parse((await ask()).body).objects).toHaveLength(2);
  });

  it.each<[string, number, (poller: Poller) => Promise<unknown>]>([
    ['its grant is gone', 404, ({ partner, collection }) => hub.revokeGrant(partner, collection)],
    [
      'its partner is disabled',
      401,
      ({ partner }) => hub.hub.db.transaction().execute(tx => setPartnerState(tx, partner.slug, 'disabled')),
    ],
    [
      'its token is revoked',
      401,
      ({ partner }) => sql`update token set revoked_at = now() where partner_id = ${partner.id}`.execute(hub.hub.db),
    ],
    [
      'its address is no longer allowed',
      403,
      ({ partner }) => setPartnerAddresses(hub.hub.db, partner.id, ['192.0.2.0/24']),
    ],
  ])('is refused soon after %s', async (_, status, change) => {
    const poller = await startPoller();
    await change(poller);
    await expect.poll(async () => (await poller.ask()).status, { timeout: 2000 }).toBe(status);
  });

  it('is refused when its token has expired', async () => {
    const { ask } = await startPoller(hub, 4000);
    await expect.poll(async () => (await ask()).status, { timeout: 5000 }).toBe(401);
  });

  it('fails where nobody can tell whether it is still true, and goes on afterwards', async () => {
    const { ask } = await startPoller();
    const { db } = hub.database;
    await sql`alter table hub rename to hub_away`.execute(db);
    await expect.poll(async () => (await ask()).status).toBe(500);
    await sql`alter table hub_away rename to hub`.execute(db);
    await expect.poll(async () => (await ask()).status).toBe(200);
    await untilRepeated(ask);
  });

  it('is another one with other headers, another method or another holder', async () => {
    const { token, path, ask } = await startPoller();
    const { headers } = await ask();
    expect((await ask({ accept: 'text/plain' })).status).toBe(406);
    expect((await ask({ 'if-none-match': String(headers.etag) })).status).toBe(304);
    expect(await ask({}, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    const { token: stranger } = await startPoller();
    expect((await ask({ authorization: `Bearer ${stranger}` })).status).toBe(404);
    expect((await ask({ authorization: 'Bearer nobody' })).status).toBe(401);
    expect((await ask({}, { path: `${path}&limit=0` })).status).toBe(400);
    expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('waits again where it would rather', async () => {
    const { push, ask } = await startPoller();
    expect((await ask({ prefer: 'wait=1' })).body).toBe('{"more":false}');
    const waiting = ask({ prefer: 'wait=30' });
    await push();
    expect(JSON.parse((await waiting).body).objects).toHaveLength(1);
  });

  it('counts, is slowed down and is refused as any other', async () => {
    const started = await startHub({ requestsPerMinute: 40 });
    const nowMs = Math.ceil(Date.now() / 60_000) * 60_000 - 500;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
    try {
      const { ask } = await startPoller(started);
      const answers: Answer[] = [];
      while (answers.at(-1)?.status !== 429) answers.push(await ask());
      expect(answers.some(one => one.isRepeated)).toBe(true);
      const lines = started.log.map(line => JSON.parse(line)).filter(line => line.msg === 'answered');
      expect(lines.filter(line => line.heldMs > 0)).toHaveLength(20);
      expect(lines.filter(line => line.status !== 429)).toHaveLength(40);
    } finally {
      clock.mockRestore();
    }
  });

  it('does not keep a hub that stops', async () => {
    const started = await startHub();
    const { ask } = await startPoller(started);
    await started.app.close();
    await expect(ask()).rejects.toThrow();
  });
});
