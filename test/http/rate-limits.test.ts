import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { setPartnerState } from '../../src/db/partners.ts';
import { addRequestCounts } from '../../src/db/request-counts.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';

const hubs: TestHub[] = [];
async function startHub(settings: Parameters<typeof startTestHub>[0]): Promise<TestHub> {
  const hub = await startTestHub(settings);
  hubs.push(hub);
  return hub;
}
afterAll(async () => {
  await Promise.all(hubs.map(hub => hub.close()));
});

const url = '/taxii2/';
// The clock stands still near the end of a minute: no test runs into the next one, and nobody is held back for long.
const nextMinuteMs = Math.ceil(Date.now() / 60_000) * 60_000;
let nowMs: number;
beforeEach(() => {
  nowMs = nextMinuteMs - 500;
  vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const tokenIn = async (hub: TestHub) => hub.tokenFor(await hub.addPartner(), 'collection:*:read');

async function sendInTurn(hub: TestHub, token: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1) statuses.push((await hub.get(token, url)).statusCode);
  return statuses;
}

describe('requests of a partner', () => {
  it('are held back from half of the limit on, and refused beyond it until the minute is over', async () => {
    const hub = await startHub({ requestsPerMinute: 40 });
    const token = await tokenIn(hub);
    expect(new Set(await sendInTurn(hub, token, 40))).toEqual(new Set([200]));
    const held = () => hub.log.map(line => JSON.parse(line)).filter(line => line.msg === 'answered' && line.heldMs > 0);
    expect(held()).toHaveLength(20);

    const refused = await hub.get(token, url);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({ error_code: 'too-many-requests', http_status: '429' });
    expect((await hub.get(await tokenIn(hub), url)).statusCode).toBe(200);

    nowMs = nextMinuteMs;
    expect((await hub.get(token, url)).statusCode).toBe(200);
  });

  it('that come as a flood are refused, and others are served meanwhile', async () => {
    const hub = await startHub({ requestsPerMinute: 1000 });
    const [token, other] = [await tokenIn(hub), await tokenIn(hub)];
    const flood = await Promise.all(Array.from({ length: 700 }, () => hub.get(token, url)));
    const refused = flood.filter(answer => answer.statusCode === 429);
    // 500 are free, and 64 may wait at a time.
    expect(refused.length).toBeGreaterThan(0);
    expect(flood.filter(answer => answer.statusCode === 200).length).toBeGreaterThanOrEqual(500);
    for (const answer of refused) expect(answer.headers['retry-after']).toBe('1');
    expect((await hub.get(other, url)).statusCode).toBe(200);
    expect((await hub.get(token, url)).statusCode).toBe(200);
  });

  it('are counted over all nodes', async () => {
    const hub = await startHub({ requestsPerMinute: 60 });
    const node = await buildApp({ ...hub.hub, db: hub.database.open() }, pino({ level: 'silent' }));
    const token = await tokenIn(hub);
    await sendInTurn(hub, token, 60);
    let sent = 0;
    const ask = async () => {
      sent += 1;
      return (await node.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode;
    };
    await expect.poll(ask, { interval: 100, timeout: 5000 }).toBe(429);
    // By itself this node would have taken all 60.
    expect(sent).toBeLessThan(50);
    await node.close();
  });

  it('are not limited where the operator says so', async () => {
    const hub = await startHub({ requestsPerMinute: 0 });
    const token = await tokenIn(hub);
    expect(new Set(await sendInTurn(hub, token, 30))).toEqual(new Set([200]));
  });

  it('that are held back are forgotten when their client hangs up', async () => {
    const hub = await startHub({ requestsPerMinute: 2000 });
    const partner = await hub.addPartner();
    const token = await hub.tokenFor(partner, 'collection:*:read');
    // As if another node had had them.
    const addElsewhere = async (requests: number) => {
      const minute = Math.floor(nowMs / 60_000);
      await addRequestCounts(hub.hub.db, minute, [{ partnerId: partner.id, requests }]);
      await expect.poll(heldMs, { timeout: 5000 }).toBeGreaterThan(0);
    };
    const heldMs = async () => {
      expect((await hub.get(token, url)).statusCode).toBe(200);
      return JSON.parse(hub.log.at(-1) as string).heldMs ?? 0;
    };
    await addElsewhere(1900);
    nowMs = nextMinuteMs - 50_000;
    await hub.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = hub.app.server.address() as { port: number };
    const countConnections = () => new Promise(resolve => hub.app.server.getConnections((_, count) => resolve(count)));
    let answered = 0;
    const sockets = Array.from({ length: 70 }, () => {
      const socket = connect(port, '127.0.0.1').once('data', () => {
        answered += 1;
      });
      socket.write(`GET ${url} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer ${token}\r\n\r\n`);
      return socket;
    });
    // The other 64 wait for seconds.
    await expect.poll(() => answered, { timeout: 4000 }).toBe(6);
    for (const socket of sockets) socket.destroy();
    await expect.poll(countConnections).toBe(0);
    nowMs = nextMinuteMs - 100;
    await expect.poll(async () => (await hub.get(token, url)).statusCode).toBe(200);

    // Nor do they count as under way: a second for each request that is, shared out among some 600.
    nowMs = nextMinuteMs + 59_000;
    await addElsewhere(1300);
    expect(await heldMs()).toBe(2);

    // Who waits for it gets an answer.
    const origin = `http://127.0.0.1:${port}`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': taxii, connection: 'close' };
    const answers = [
      await fetch(origin + url, { headers }),
      await fetch(`${origin}/hub/collections/none/objects/`, { method: 'POST', headers, body: '{"objects": [{}]}' }),
    ];
    expect(answers.map(answer => answer.status)).toEqual([200, 404]);
    const held = hub.log.slice(-2).map(line => JSON.parse(line).heldMs);
    expect(held).toEqual([2, 2]);
  });

  it('are refused where their credential was revoked while they were held back', async () => {
    const hub = await startHub({ requestsPerMinute: 2000 });
    const partner = await hub.addPartner();
    const token = await hub.tokenFor(partner, 'collection:*:read');
    const minute = Math.floor(nowMs / 60_000);
    await addRequestCounts(hub.hub.db, minute, [{ partnerId: partner.id, requests: 1899 }]);
    nowMs = nextMinuteMs - 50_000;
    const heldMs = async () => {
      const { statusCode } = await hub.get(token, url);
      return statusCode === 200 ? (JSON.parse(hub.log.at(-1) as string).heldMs ?? 0) : statusCode;
    };
    await expect.poll(heldMs, { timeout: 5000 }).toBeGreaterThan(1500);
    const countRequests = async () =>
      (await addRequestCounts(hub.hub.db, minute, [{ partnerId: partner.id, requests: 0 }]))[0]?.requests;
    const before = 1899 + hub.log.filter(line => JSON.parse(line).msg === 'answered').length;
    await expect.poll(countRequests).toBe(before);
    const waiting = hub.get(token, url);
    // It is counted once it is known whose it is, and then held back.
    await expect.poll(countRequests).toBe(before + 1);
    await setPartnerState(hub.hub.db, partner.slug, 'disabled');
    expect((await waiting).statusCode).toBe(401);
  });
});

describe('wrong credentials', () => {
  const attempt = (hub: TestHub, remoteAddress: string, token = 'wrong') => hub.request(token, { url, remoteAddress });

  it('are refused by address beyond a number, while good ones from there go on working', async () => {
    const hub = await startHub({ failedLoginsPerMinute: 5 });
    const good = await tokenIn(hub);
    for (let tries = 0; tries < 5; tries += 1) expect((await attempt(hub, '192.0.2.1')).statusCode).toBe(401);
    const refused = await attempt(hub, '192.0.2.1');
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect((await attempt(hub, '::ffff:192.0.2.1')).statusCode).toBe(429);
    expect((await attempt(hub, '192.0.2.2')).statusCode).toBe(401);
    expect((await attempt(hub, '192.0.2.1', good)).statusCode).toBe(200);
  });

  it('are counted by /64 of IPv6', async () => {
    const hub = await startHub({ failedLoginsPerMinute: 3 });
    for (const host of ['1', '2', 'a:b:c:d']) expect((await attempt(hub, `2001:db8::${host}`)).statusCode).toBe(401);
    expect((await attempt(hub, '2001:db8:0:0:ffff::9')).statusCode).toBe(429);
    expect((await attempt(hub, '2001:db8:0:1::1')).statusCode).toBe(401);
  });

  it('are counted where clients ask for tokens too, and refused before their secrets are compared', async () => {
    const hub = await startHub({ failedLoginsPerMinute: 2 });
    const guess = () =>
      hub.app.inject({
        method: 'POST',
        url: '/oauth2/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: `grant_type=client_credentials&client_id=${crypto.randomUUID()}&client_secret=guess`,
      });
    // Wrong tokens are counted apart: they must not keep clients from getting good ones.
    for (let tries = 0; tries < 4; tries += 1) await hub.request('wrong', { url });
    for (let tries = 0; tries < 3; tries += 1) expect((await guess()).statusCode).toBe(401);
    const refused = await guess();
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('are not what a request without any is', async () => {
    const hub = await startHub({ failedLoginsPerMinute: 1 });
    for (let tries = 0; tries < 4; tries += 1) {
      expect((await hub.request(undefined, { url, remoteAddress: '192.0.2.1' })).statusCode).toBe(401);
    }
  });

  it('from addresses that a proxy made up fill no memory and break no log line', async () => {
    const hub = await startHub({ failedLoginsPerMinute: 1, trustProxy: true });
    for (const address of ['', 'x'.repeat(50_000), 'fe80::1%eth0', '::%', '2001:db8::1/64', '{"a":1}']) {
      const headers = { 'x-forwarded-for': address };
      expect((await hub.request('wrong', { url, headers })).statusCode).toBe(401);
    }
    const answered = hub.log.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
    expect(answered.map(({ status }) => status)).toEqual(Array(6).fill(401));
  });
});
