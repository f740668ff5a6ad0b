import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { createSite, type RunningHub, type Site, toDatabaseUrl } from '../support/process.ts';
import { indicator } from '../support/stix.ts';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});
afterEach(() => site.remove());

const taxii = 'application/taxii+json;version=2.1';
const objects = '/hub/collections/alpha/objects/';

async function prepare(): Promise<string> {
  await site.ok('partner', 'add', 'bank', '--name', 'Bank', '--sector', 'finance');
  await site.ok('collection', 'add', 'alpha', '--title', 'Alpha');
  await site.ok('grant', 'bank', 'alpha', 'read', 'write');
  return site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read collection:alpha:write', '--ttl', '1d');
}

function push(hub: RunningHub, token: string, object: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, accept: taxii, 'content-type': taxii };
  return fetch(hub.url + objects, { method: 'POST', headers, body: JSON.stringify({ objects: [object] }) });
}

async function poll(hub: RunningHub, token: string): Promise<{ id: string }[]> {
  const answer = await fetch(`${hub.url}${objects}?limit=10000`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { objects?: { id: string }[] }).objects ?? [];
}

async function serverPid(): Promise<number | undefined> {
  const file = join(site.dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number((await readFile(file, 'utf8')).split('\n')[0]) : undefined;
}

describe('the hub as a process', () => {
  it('works with commands beside it, stops cleanly at SIGTERM, and finds its data again', async () => {
    const hub = await site.serve();
    const token = await prepare();
    const object = indicator();
    expect((await push(hub, token, object)).status).toBe(202);
    expect(await hub.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await serverPid()).toBeUndefined();

    const again = await site.serve();
    expect(await poll(again, token)).toEqual([object]);
    expect(again.output()).not.toContain('deprecat');
  });

  it('keeps what it acknowledged through kill -9 of itself and of PostgreSQL', async () => {
    let hub = await site.serve();
    const token = await prepare();
    const acknowledged: string[] = [];
    for (const victim of ['hub', 'postgres', 'both']) {
      let isAlive = true;
      const writers = [1, 2, 3].map(async () => {
        while (isAlive) {
          const object = indicator();
          const answer = await push(hub, token, object).catch(() => undefined);
          if (answer?.status === 202) acknowledged.push(object.id);
          else if (answer === undefined || answer.status !== 503) return;
          else await new Promise(resolve => setTimeout(resolve, 20));
        }
      });
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(before + 20);
      if (victim !== 'hub') process.kill((await serverPid()) as number, 'SIGKILL');
      if (victim !== 'postgres') hub.process.kill('SIGKILL');
      isAlive = false;
      await Promise.all(writers);
      await hub.stop('SIGTERM');
      hub = await site.serve();
      const ids = (await poll(hub, token)).map(object => object.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining(acknowledged));
    }
  });

  it('finishes the request in flight when it is told to stop, however often', async () => {
    const hub = await site.serve();
    const token = await prepare();
    const object = indicator();
    const body = JSON.stringify({ objects: [object] });
    const { port } = new URL(hub.url);
    const answer = new Promise<string>((resolve, reject) => {
      let heard = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        const head = `POST ${objects} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: ${taxii}\r\n`;
        socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 50)}`);
        setTimeout(() => {
          hub.process.kill('SIGINT');
          hub.process.kill('SIGINT');
        }, 300);
        setTimeout(() => {
          hub.process.kill('SIGTERM');
          socket.write(body.slice(50));
        }, 900);
      });
      socket.on('data', chunk => {
        heard += chunk;
      });
      socket.on('close', () => resolve(heard)).on('error', reject);
    });
    expect(await answer).toMatch(/^HTTP\/1.1 202 /);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    expect(await serverPid()).toBeUndefined();
    expect(await poll(await site.serve(), token)).toEqual([object]);
  });

  it('ends waits and streams at once when it is told to stop', async () => {
    const hub = await site.serve();
    const headers = { authorization: `Bearer ${await prepare()}`, prefer: 'wait=50' };
    const waiting = fetch(hub.url + objects, { headers });
    const streaming = await fetch(`${hub.url}${objects}stream/`, { headers });
    await new Promise(resolve => setTimeout(resolve, 500));
    const toldAt = performance.now();
    expect(await hub.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    // It would wait for 20 seconds for requests in flight.
    expect(performance.now() - toldAt).toBeLessThan(15_000);
    expect(await (await waiting).json()).toEqual({ more: false });
    expect(await streaming.text()).toBe('retry: 1000\n\n');
  });

  it('answers 503 while PostgreSQL is away, stays alive, and says so at /readyz', async () => {
    const hub = await site.serve();
    const token = await prepare();
    process.kill((await serverPid()) as number, 'SIGKILL');
    await expect.poll(async () => (await fetch(`${hub.url}/readyz`)).status).toBe(503);
    const answer = await push(hub, token, indicator());
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBeTruthy();
    expect(await answer.text()).not.toMatch(/ECONN|postgres|socket/i);
    expect((await fetch(`${hub.url}/healthz`)).status).toBe(200);
  });

  it('serves from two nodes on one embedded database, and the last one to leave stops it', async () => {
    const [first, second] = await Promise.all([site.serve(), site.serve()]);
    const token = await prepare();
    expect((await push(first, token, indicator())).status).toBe(202);
    await first.stop();
    expect(await poll(second, token)).toHaveLength(1);
    await second.stop();
    expect(await serverPid()).toBeUndefined();
  });
});

describe('the demonstration of the first start', () => {
  it('prints commands that work, once', async () => {
    const hub = await site.serve({ TAXIWAY_DEMO: 'on' });
    await expect.poll(hub.output, { timeout: 20_000 }).toContain('Documentation for integrators');
    const [police, bank] = [...hub.output().matchAll(/Bearer ([\w.-]+)/g)].map(match => match[1] as string);
    const headers = { authorization: `Bearer ${police}` };
    const url = `${hub.url}/hub/collections/campaign/objects/`;
    const campaign = JSON.parse(await readFile(new URL('../../examples/campaign.json', import.meta.url), 'utf8'));
    const polled = (await (await fetch(url, { headers })).json()) as { objects: unknown[] };
    expect(polled.objects).toEqual(campaign.objects);

    const body = await readFile(new URL('../../examples/envelope.json', import.meta.url));
    const post = (token: string) =>
      fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': taxii }, body });
    expect((await post(bank as string)).status).toBe(202);
    expect((await post(police as string)).status).toBe(403);

    await hub.stop();
    const again = await site.serve({ TAXIWAY_DEMO: 'on' });
    await again.stop();
    expect(again.output()).not.toContain('demonstration');
  });
});

describe('a start that cannot work', () => {
  it.each([
    [{ PORT: 'http' }, /PORT must be a whole number/],
    [{ DATABASE_URL: 'mysql://x' }, /DATABASE_URL must start with/],
    [{ DATABASE_URL: 'postgres://127.0.0.1:1/none' }, /DATABASE_URL cannot be used/],
    [{ PUBLIC_URL: 'cti.example' }, /PUBLIC_URL must be/],
    [{ TAXIWAY_DEMO: 'maybe' }, /TAXIWAY_DEMO must be one of on, off/],
    [{ HOST: '203.0.113.1' }, /203\.0\.113\.1/],
  ])('%j ends with one sentence and exit code 1', async (env, sentence) => {
    const misconfigured = await createSite(env as Record<string, string>);
    const { code, stderr } = await misconfigured.run('serve');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(sentence);
    expect(stderr).not.toMatch(/\n {4}at /);
    await misconfigured.remove();
  });

  it('ends on a database of its operator too, where the hub was connected already', async () => {
    const database = await createTestDatabase();
    const misconfigured = await createSite({
      DATABASE_URL: toDatabaseUrl(database.connection),
      HOST: '203.0.113.1',
    });
    const { code, stderr } = await misconfigured.run('serve');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/203\.0\.113\.1/);
    await misconfigured.remove();
    await database.drop();
  });
});
