import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putGrant } from '../../src/db/grants.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
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
});
