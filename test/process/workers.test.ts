import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { createAuthority, hasOpenssl } from '../support/certificates.ts';
import { createTestDatabase } from '../support/database.ts';
import { createSite, type RunningHub, type Site, toDatabaseUrl } from '../support/process.ts';
import { indicator } from '../support/stix.ts';

const workers = 3;
const taxii = 'application/taxii+json;version=2.1';
const objects = '/hub/collections/alpha/objects/?limit=10000';

// Many processes start, on a machine that may have few cores.
vi.setConfig({ testTimeout: 180_000 });

let site: Site;
beforeEach(async () => {
  site = await createSite({ TAXIWAY_WORKERS: String(workers), TAXIWAY_DATABASE_POOL_MAX: '4' });
});
afterEach(() => site.remove());

async function prepare(): Promise<string> {
  await site.ok('partner', 'add', 'bank', '--name', 'Bank', '--sector', 'finance');
  await site.ok('collection', 'add', 'alpha', '--title', 'Alpha');
  await site.ok('grant', 'bank', 'alpha', 'read', 'write');
  return site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read collection:alpha:write', '--ttl', '1d');
}

interface Answer {
  status: number;
  body: string;
}

/** Over a connection of its own, so that the next worker gets it. @param pause while the hub waits for the body */
function send(hub: RunningHub, token: string, body?: string, pause?: () => Promise<unknown>): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: taxii,
    // The most that a body may be is set aside for one that does not say how long it is.
    ...(body && { 'content-type': taxii, 'content-length': Buffer.byteLength(body) }),
    ...(pause && { expect: '100-continue' }),
  };
  return new Promise((resolve, reject) => {
    const method = body ? 'POST' : 'GET';
    const request = http.request(
      hub.url + objects,
      { method, headers, agent: false, timeout: 20_000 },
      async answer => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        resolve({ status: answer.statusCode as number, body: text });
      },
    );
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer')));
    if (!pause) return request.end(body);
    // A worker has the request.
    request.on('continue', () => pause().then(() => request.end(body))).flushHeaders();
  });
}

const push = (hub: RunningHub, token: string, object: object, pause?: () => Promise<unknown>) =>
  send(hub, token, JSON.stringify({ objects: [object] }), pause);

type Line = Record<'msg' | 'worker' | 'pid', unknown>;

const linesOf = (hub: RunningHub): Line[] =>
  hub
    .output()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line));

/** The process of each worker that has become ready, in that order. */
const readyPids = (hub: RunningHub) =>
  linesOf(hub).flatMap(({ msg, pid }) => (msg === 'Taxiway is ready' ? [pid as number] : []));

async function serve(): Promise<RunningHub> {
  const hub = await site.serve();
  await expect.poll(() => readyPids(hub).length, { timeout: 60_000 }).toBe(workers);
  return hub;
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

describe('a hub of several workers', () => {
  it('goes on when one is killed under load, puts another in its place, and loses nothing', async () => {
    const hub = await serve();
    const token = await prepare();
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    let isLoaded = true;
    const writers = [1, 2, 3, 4].map(async () => {
      while (isLoaded) {
        const object = indicator();
        const answer = await push(hub, token, object).catch((error: Error) => error);
        if ('status' in answer && answer.status === 202) acknowledged.push(object.id);
        else refused.push('status' in answer ? answer.status : answer.message);
      }
    });
    const more = async (count: number) => {
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(before + count);
    };
    await more(20);
    // The first of them has started the database.
    for (const victim of readyPids(hub).slice(0, 2)) {
      const count = readyPids(hub).length;
      process.kill(victim, 'SIGKILL');
      await more(20);
      await expect.poll(() => readyPids(hub).length, { timeout: 60_000 }).toBe(count + 1);
    }
    // Enough for the newest one to have had its turn.
    await more(50);
    isLoaded = false;
    await Promise.all(writers);
    // What the victims had in hand when they were killed, and no more.
    const broken = refused.filter(reason => reason !== 503);
    expect(broken.length, String(broken)).toBeLessThanOrEqual(2 * writers.length);
    const heldIds = async () => {
      const { objects: held } = JSON.parse((await send(hub, token)).body) as { objects: { id: string }[] };
      return held.map(({ id }) => id);
    };
    // A worker may know of what others have committed a little later.
    await expect.poll(heldIds).toEqual(expect.arrayContaining(acknowledged));
    const ids = await heldIds();
    expect(new Set(ids).size).toBe(ids.length);
    const answering = new Set(linesOf(hub).flatMap(line => (line.msg === 'answered' ? [line.worker] : [])));
    expect(answering.size).toBe(workers + 2);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
  });

  it('finishes the requests of all workers at SIGTERM, and stops the database', async () => {
    const hub = await serve();
    const token = await prepare();
    const sent = Array.from({ length: 2 * workers }, () => indicator());
    let begun = 0;
    const answers = sent.map(object =>
      push(hub, token, object, async () => {
        begun += 1;
        await sleep(1000);
      }),
    );
    await expect.poll(() => begun).toBe(sent.length);
    hub.process.kill('SIGTERM');
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(sent.map(() => 202));
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    expect(readyPids(hub).filter(isAlive)).toEqual([]);
    expect(existsSync(join(site.dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('leaves no worker behind when the process that supervises them is killed', async () => {
    const hub = await serve();
    await hub.stop('SIGKILL');
    await expect.poll(() => readyPids(hub).filter(isAlive), { timeout: 10_000 }).toEqual([]);
    const again = await serve();
    expect(await again.stop()).toEqual({ code: 0, signal: null });
  });

  it('prints the demonstration once', async () => {
    const hub = await site.serve({ TAXIWAY_DEMO: 'on' });
    await expect.poll(() => readyPids(hub).length, { timeout: 60_000 }).toBe(workers);
    await hub.stop();
    expect(hub.output().match(/Documentation for integrators/g)).toHaveLength(1);
  });

  it.skipIf(!hasOpenssl)('takes a renewed certificate on every worker at SIGHUP', async () => {
    const authority = await createAuthority();
    const [first, second] = [await authority.issue('first'), await authority.issue('second')];
    const env = { TLS_CERT: join(site.dataDir, 'hub.crt'), TLS_KEY: join(site.dataDir, 'hub.key') };
    const install = async ({ certFile, keyFile }: typeof first) => {
      await copyFile(certFile, env.TLS_CERT);
      await copyFile(keyFile, env.TLS_KEY);
    };
    await install(first);
    const hub = await site.serve(env);
    const port = Number(new URL(hub.url).port);
    const shown = () =>
      new Promise(resolve => {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().subject.CN);
          socket.destroy();
        });
      });
    const shownByAll = () => Promise.all(Array.from({ length: 2 * workers }, shown));
    expect(new Set(await shownByAll())).toEqual(new Set(['first']));
    await install(second);
    // Some of them may be starting still.
    hub.process.kill('SIGHUP');
    await expect.poll(() => readyPids(hub).length, { timeout: 60_000 }).toBe(workers);
    await expect.poll(async () => [...new Set(await shownByAll())], { timeout: 10_000 }).toEqual(['second']);
    expect(await hub.stop()).toEqual({ code: 0, signal: null });
    await authority.remove();
  });
});

describe('workers that cannot start', () => {
  it('end the hub with one sentence where it is the first', async () => {
    const { code, stderr } = await (await createSite({ ...site.env, HOST: '203.0.113.1' })).run('serve');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').slice(-1)).toEqual([expect.stringMatching(/^taxiway: .*203\.0\.113\.1/)]);
  });

  it('are refused where the embedded database has not the connections', async () => {
    const { code, stderr } = await (await createSite({ ...site.env, TAXIWAY_WORKERS: '20' })).run('serve');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/would take 120 connections/) });
  });

  it('end the hub where others have died again and again at their start', async () => {
    const database = await createTestDatabase();
    const hubSite = await createSite({ ...site.env, DATABASE_URL: toDatabaseUrl(database.connection) });
    const hub = await hubSite.serve();
    await expect.poll(() => readyPids(hub).length, { timeout: 60_000 }).toBe(workers);
    const name = new URL(toDatabaseUrl(database.connection)).pathname.slice(1);
    const admin = new pg.Client(inject('server'));
    await admin.connect();
    await admin.query(`alter database ${name} with allow_connections false`);
    process.kill(readyPids(hub)[1] as number, 'SIGKILL');
    await expect.poll(() => hub.process.exitCode, { timeout: 100_000 }).toBe(1);
    expect(hub.output()).toMatch(/taxiway: Workers of the hub cannot start any more/);
    expect(readyPids(hub).filter(isAlive)).toEqual([]);
    await admin.query(`alter database ${name} with allow_connections true`);
    await admin.end();
    await hubSite.remove();
    await database.drop();
  });
});
