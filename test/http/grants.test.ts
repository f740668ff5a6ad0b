import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import { lockCollection } from '../../src/db/collections.ts';
import { findGrant, putGrant } from '../../src/db/grants.ts';
import { replay } from '../../src/taxii/replay.ts';
import { countLockWaits, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
const objectsOf = (alias: string) => `/hub/collections/${alias}/objects/`;
const amber = 2;

beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

describe('a grant', () => {
  it('is the ceiling of what a token says', async () => {
    const [partner, one, other] = [
      await hub.addPartner(),
      await hub.addCollection({ alias: 'one' }),
      await hub.addCollection({ alias: 'other' }),
    ];
    const token = await hub.tokenFor(partner, 'collection:*:read collection:*:write');
    await putGrant(hub.hub.db, partner.id, one.id, {
      can_read: true,
      can_write: false,
      tlp_ceiling: amber,
      quota_bytes: null,
    });
    await hub.revokeGrant(partner, other);
    expect((await hub.get(token, objectsOf('one'))).statusCode).toBe(200);
    expect((await hub.post(token, objectsOf('one'), { objects: [indicator()] })).statusCode).toBe(403);
    expect((await hub.get(token, objectsOf('other'))).statusCode).toBe(404);
    const { collections } = (await hub.get(token, '/hub/collections/')).json();
    expect(collections).toEqual([expect.objectContaining({ id: one.id, can_read: true, can_write: false })]);
  });

  it('gives nothing that the token does not say', async () => {
    const partner = await hub.addPartner();
    await hub.addCollection({ alias: 'quiet' });
    await hub.tokenFor(partner, 'collection:quiet:read collection:quiet:write');
    const token = await hub.tokenFor(partner, 'collection:quiet:read');
    expect((await hub.get(token, objectsOf('quiet'))).statusCode).toBe(200);
    expect((await hub.post(token, objectsOf('quiet'), { objects: [indicator()] })).statusCode).toBe(403);
  });

  it('that is removed while a cursor is alive stops the very next page', async () => {
    const [partner, collection] = [await hub.addPartner(), await hub.addCollection({ alias: 'paged' })];
    const token = await hub.tokenFor(partner, 'collection:paged:read collection:paged:write');
    await hub.post(token, objectsOf('paged'), { objects: [indicator(), indicator(), indicator()] });
    const { next } = (await hub.get(token, `${objectsOf('paged')}?limit=1`)).json();
    expect((await hub.get(token, `${objectsOf('paged')}?limit=1&next=${next}`)).statusCode).toBe(200);
    await hub.revokeGrant(partner, collection);
    expect((await hub.get(token, `${objectsOf('paged')}?limit=1&next=${next}`)).statusCode).toBe(404);
  });

  it('that is taken and given again does not bring its old ceiling back', async () => {
    const [partner, collection] = [await hub.addPartner(), await hub.addCollection()];
    const change = (rights: object) => changeGrant(hub.hub.db, partner, collection, operator, () => rights);
    await change({ can_read: true, can_write: true, tlp_ceiling: 4 });
    expect(await change({ can_write: true })).toMatchObject({ tlp_ceiling: 4 });
    await change({ can_read: false });
    expect(await change({ can_read: true })).toMatchObject({ can_write: true, tlp_ceiling: amber });
  });

  it('that changes otherwise leaves what a raise has uncovered as it was', async () => {
    const [partner, collection] = [await hub.addPartner(), await hub.addCollection()];
    const { db } = hub.hub;
    const change = (rights: object) => changeGrant(db, partner, collection, operator, () => rights);
    await change({ can_read: true, tlp_ceiling: 1 });
    await change({ tlp_ceiling: 2 });
    const raised = await findGrant(db, partner.id, collection.id);
    expect(raised).toMatchObject({ replay_above: 1, replay_until: expect.any(String) });
    const token = await hub.tokenFor(await hub.addPartner(), `collection:${collection.alias}:write`);
    expect((await hub.post(token, objectsOf(collection.alias), { objects: [indicator()] })).statusCode).toBe(202);
    expect(await change({ can_write: true })).toMatchObject({ replay_above: 1 });
    // Else what it has been handed since would come again.
    expect(await findGrant(db, partner.id, collection.id)).toEqual({ ...raised, can_write: true });
    expect(await change({ tlp_ceiling: 1 })).toMatchObject({ replay_above: null });
  });

  it('whose ceiling is raised during a replay is replayed once more', async () => {
    const [partner, collection] = [await hub.addPartner(), await hub.addCollection()];
    const { db } = hub.hub;
    const change = (tlp_ceiling: number) =>
      changeGrant(db, partner, collection, operator, () => ({ can_read: true, tlp_ceiling }));
    await change(1);
    await change(2);
    const { replaying, raised } = await db.transaction().execute(async tx => {
      const { date_added_last } = await lockCollection(tx, collection.id);
      const replaying = replay(db, partner, collection.id, { actor: operator });
      await expect.poll(() => countLockWaits(hub)).toBe(1);
      const raised = { can_read: true, can_write: false, tlp_ceiling: 4, replay_above: 1 };
      await putGrant(tx, partner.id, collection.id, { ...raised, replay_until: date_added_last });
      return { replaying, raised };
    });
    await replaying;
    expect(await findGrant(db, partner.id, collection.id)).toMatchObject(raised);
    await replay(db, partner, collection.id, { actor: operator });
    expect(await findGrant(db, partner.id, collection.id)).toMatchObject({ replay_above: null, replay_until: null });
  });
});
