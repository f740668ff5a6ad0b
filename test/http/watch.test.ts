import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setPartnerState } from '../../src/db/partners.ts';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// What a node knows without asking (ARCHITECTURE.md, invariant 13), with the staleness that operators have.

let hub: TestHub;
let other: TestHub['app'];

beforeAll(async () => {
  hub = await startTestHub({ stalenessMsMax: 250 });
  other = await hub.addNode();
});
afterAll(() => hub.close());

const url = (alias: string, query = '') => `/hub/collections/${alias}/objects/${query}`;

async function poll(app: TestHub['app'], token: string, path: string) {
  return app.inject({ url: path, headers: { accept: taxii, authorization: `Bearer ${token}` } });
}

describe('what a node knows', () => {
  it('holds its own commits at once, and those of other nodes soon', async () => {
    await hub.addCollection({ alias: 'own' });
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:own:read collection:own:write');
    for (let n = 0; n < 20; n += 1) {
      const object = indicator();
      const before = await poll(hub.app, token, url('own', '?limit=1000'));
      const last = before.headers['x-taxii-date-added-last'];
      await poll(other, token, url('own', `?added_after=${last}`));
      expect((await hub.post(token, url('own'), { objects: [object] })).statusCode).toBe(202);
      const after = await poll(hub.app, token, url('own', `?added_after=${last}`));
      expect(after.json().objects?.map((one: { id: string }) => one.id)).toEqual([object.id]);
      await expect
        .poll(async () => (await poll(other, token, url('own', `?added_after=${last}`))).json().objects?.length)
        .toBe(1);
    }
  });

  it('holds changes that somebody makes with SQL alone', async () => {
    const collection = await hub.addCollection({ alias: 'by-hand' });
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:by-hand:read');
    expect((await poll(other, token, url('by-hand'))).statusCode).toBe(200);
    await sql`delete from access_grant where collection_id = ${collection.id}`.execute(hub.database.db);
    await expect.poll(async () => (await poll(other, token, url('by-hand'))).statusCode).toBe(404);
  });

  it('holds that a partner was disabled, however long its token is good', async () => {
    await hub.addCollection({ alias: 'trust' });
    const partner = await hub.addPartner('leaving');
    const token = await hub.tokenFor(partner, 'collection:trust:read');
    expect((await poll(other, token, url('trust'))).statusCode).toBe(200);
    await hub.hub.db.transaction().execute(tx => setPartnerState(tx, 'leaving', 'disabled'));
    await expect.poll(async () => (await poll(other, token, url('trust'))).statusCode, { timeout: 2000 }).toBe(401);
  });

  it('is forgotten where the database was away, since the same numbers may then stand for something else', async () => {
    const collection = await hub.addCollection({ alias: 'restored' });
    const [revoked, disabled, staying] = [
      await hub.addPartner('r'),
      await hub.addPartner('d'),
      await hub.addPartner('s'),
    ];
    const tokenFor = (partner: typeof staying) => hub.tokenFor(partner, 'collection:restored:read');
    const tokens = [await tokenFor(revoked), await tokenFor(disabled), await tokenFor(staying)];
    const statuses = async () => {
      const answers = [];
      // The last one first: what the node learns by it must not lend new life to what it knew of the others.
      for (const token of tokens.toReversed()) answers.unshift((await poll(other, token, url('restored'))).statusCode);
      return answers;
    };
    // So soon after a change of trust, as the tests before made one, a verified token is remembered for a second alone.
    await sleep(2100);
    await expect.poll(statuses).toEqual([200, 200, 200]);

    const { db } = hub.database;
    await sql`alter table hub rename to hub_away`.execute(db);
    await expect.poll(statuses).toEqual([500, 500, 500]);
    // As a standby that took over may have it: other rights at the same revisions.
    await sql`alter table access_grant disable trigger user`.execute(db);
    await sql`alter table partner disable trigger user`.execute(db);
    await sql`delete from access_grant where partner_id = ${revoked.id} and collection_id = ${collection.id}`.execute(
      db,
    );
    await setPartnerState(db, disabled.slug, 'disabled');
    await sql`alter table access_grant enable trigger user`.execute(db);
    await sql`alter table partner enable trigger user`.execute(db);
    await sql`alter table hub_away rename to hub`.execute(db);
    await expect.poll(statuses).toEqual([404, 401, 200]);
  });

  it('is enough for a poll that finds nothing', async () => {
    await hub.addCollection({ alias: 'quiet' });
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:quiet:read collection:quiet:write');
    await hub.post(token, url('quiet'), { objects: [indicator()] });
    const { headers } = await poll(hub.app, token, url('quiet'));
    const path = url('quiet', `?added_after=${headers['x-taxii-date-added-last']}`);
    await poll(hub.app, token, path);
    await hub.database.db.transaction().execute(async tx => {
      // Whoever asked one of these tables would wait until the end of this transaction.
      await sql`lock table object_version, access_grant, token, partner in access exclusive mode`.execute(tx);
      expect((await poll(hub.app, token, path)).json()).toEqual({ more: false });
    });
  });
});
