import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockCollection } from '../../src/db/collections.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
let waiting = 0;
let come = 0;
beforeAll(async () => {
  hub = await startTestHub({ requestsPerMinute: 0 });
  // Only watched: how many envelopes have come to where they wait.
  const { write } = hub.hub.writers;
  hub.hub.writers.write = (...envelope) => {
    waiting += 1;
    come += 1;
    return write(...envelope).finally(() => {
      waiting -= 1;
    });
  };
  await sql`
    create function refuse_some() returns trigger language plpgsql as $$
    begin
      if new.object like '%"name":"poison"%' then raise exception 'no room for poison'; end if;
      if new.object like '%"name":"outage"%' then perform pg_terminate_backend(pg_backend_pid()); end if;
      return new;
    end $$`.execute(hub.hub.db);
  await sql`
    create trigger refuse_some before insert on object_version for each row execute function refuse_some()`.execute(
    hub.hub.db,
  );
});
afterAll(() => hub.close());

async function prepare(alias: string) {
  const collection = await hub.addCollection({ alias });
  const partners = await Promise.all(['a', 'b', 'c'].map(name => hub.addPartner(`${alias}-${name}`)));
  const scope = `collection:${alias}:read collection:${alias}:write`;
  const tokens = await Promise.all(partners.map(partner => hub.tokenFor(partner, scope)));
  const url = `/hub/collections/${alias}/objects/`;
  const push = (n: number, ...objects: object[]) => hub.post(tokens[n % tokens.length] as string, url, { objects });
  /** Has all of it wait at once, the first one alone in a transaction: another node has the lock meanwhile. */
  const behindLock = (sends: (() => unknown)[], beforeRelease = async () => {}) =>
    hub.hub.db.transaction().execute(async tx => {
      await lockCollection(tx, collection.id);
      const [first, ...others] = sends;
      const before = come;
      first?.();
      await expect.poll(() => waiting, { timeout: 10_000 }).toBe(1);
      for (const send of others) send();
      await expect.poll(() => come, { timeout: 20_000 }).toBe(before + sends.length);
      await beforeRelease();
    });
  return {
    url,
    tokens,
    push,
    behindLock,
    /** Pushes envelopes, each as another partner than the one before it, all of them waiting at once. */
    async pushBehindLock(envelopes: object[][]) {
      const answers: Promise<LightMyRequestResponse>[] = [];
      await behindLock(envelopes.map((objects, n) => () => answers.push(push(n, ...objects))));
      return Promise.all(answers);
    },
    async ids() {
      const { objects = [] } = (await hub.get(tokens[0] as string, `${url}?limit=2000`)).json();
      return objects.map((object: { id: string }) => object.id);
    },
    async transactions() {
      const { rows } = await sql<{ count: number }>`
        select count(distinct xmin::text)::integer as count from object_version
        where collection_id = ${collection.id}`.execute(hub.hub.db);
      return rows[0]?.count;
    },
  };
}

describe('envelopes that wait for one collection', () => {
  it('share a transaction, and each has its own status, sender and row of the audit log', async () => {
    const { pushBehindLock, ids, tokens, transactions } = await prepare('sharing');
    const objects = Array.from({ length: 30 }, () => indicator());
    const answers = await pushBehindLock(objects.map(object => [object, indicator({ pattern: '' })]));
    expect(answers.map(answer => answer.statusCode)).toEqual(objects.map(() => 202));
    expect(await transactions()).toBe(2);
    for (const [n, answer] of answers.entries()) {
      const status = answer.json();
      expect(status).toMatchObject({ success_count: 1, failure_count: 1, successes: [{ id: objects[n]?.id }] });
      const [own, other] = [tokens[n % 3], tokens[(n + 1) % 3]] as [string, string];
      expect((await hub.get(own, `/hub/status/${status.id}/`)).json()).toEqual(status);
      expect((await hub.get(other, `/hub/status/${status.id}/`)).statusCode).toBe(404);
    }
    expect((await ids()).sort()).toEqual(objects.map(object => object.id).sort());
    const { rows } = await sql<{ count: number }>`
      select count(distinct request_id)::integer as count from audit where action = 'objects-added'`.execute(
      hub.hub.db,
    );
    expect(rows[0]?.count).toBe(30);
  });

  it('do not suffer from one that the database refuses', async () => {
    const { pushBehindLock, ids } = await prepare('poisoned');
    const objects = Array.from({ length: 9 }, (_, n) => [indicator(n === 4 ? { name: 'poison' } : {})]);
    const answers = await pushBehindLock(objects);
    expect(answers.map(answer => answer.statusCode)).toEqual(objects.map((_, n) => (n === 4 ? 500 : 202)));
    expect(answers[4]?.body).not.toContain('poison');
    expect(await ids()).toHaveLength(8);
  });

  it('are all told to try again where the database goes away, and the next ones are taken', async () => {
    const { pushBehindLock, push, ids } = await prepare('outage');
    const objects = Array.from({ length: 6 }, (_, n) => [indicator(n === 3 ? { name: 'outage' } : {})]);
    const answers = await pushBehindLock(objects);
    expect(answers.map(answer => answer.statusCode)).toEqual([202, 503, 503, 503, 503, 503]);
    for (const answer of answers.slice(1)) {
      expect(answer.json().error_code).toBe('database-unavailable');
      expect(answer.headers['retry-after']).toBeDefined();
    }
    expect(await ids()).toHaveLength(1);
    expect((await push(0, indicator())).statusCode).toBe(202);
  });

  it('are dropped where their client has hung up, without a trace', async () => {
    const { push, behindLock, ids, url, tokens } = await prepare('abandoned');
    await hub.app.listen({ host: '127.0.0.1', port: 0 });
    const { server } = hub.app;
    const { port } = server.address() as AddressInfo;
    const headers = { accept: taxii, 'content-type': taxii, authorization: `Bearer ${tokens[1]}` };
    const upload = httpRequest({ port, method: 'POST', path: url, headers });
    upload.on('error', () => {});
    const [first, last] = [indicator(), indicator()];
    const answers: Promise<LightMyRequestResponse>[] = [];
    await behindLock(
      [
        () => answers.push(push(0, first)),
        () => upload.end(JSON.stringify({ objects: [indicator()] })),
        () => answers.push(push(2, last)),
      ],
      async () => {
        upload.destroy();
        await expect.poll(() => promisify(server.getConnections).call(server)).toBe(0);
      },
    );
    expect((await Promise.all(answers)).map(answer => answer.statusCode)).toEqual([202, 202]);
    await expect.poll(() => waiting).toBe(0);
    expect(await ids()).toEqual([first.id, last.id]);
  });

  it('are refused beyond a thousand, and the thousand are taken', { timeout: 60_000 }, async () => {
    const { pushBehindLock, ids } = await prepare('crowded');
    const answers = await pushBehindLock(Array.from({ length: 1003 }, () => [indicator()]));
    const refused = answers.filter(answer => answer.statusCode !== 202);
    expect(refused.map(answer => answer.json().error_code)).toEqual(['overloaded', 'overloaded']);
    expect(await ids()).toHaveLength(1001);
  });
});
