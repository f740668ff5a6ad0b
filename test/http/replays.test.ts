import { afterAll, beforeAll, expect, it } from 'vitest';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import { replay } from '../../src/taxii/replay.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

const red = 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

/** A red object that has been replayed to a reader whose ceiling was raised for it. */
async function replayOne() {
  const [reader, collection] = [await hub.addPartner(), await hub.addCollection()];
  const path = `/hub/collections/${collection.alias}`;
  const scope = `collection:${collection.alias}:read`;
  const token = await hub.tokenFor(reader, scope);
  const sender = await hub.tokenFor(await hub.addPartner(), `${scope} collection:${collection.alias}:write`);
  const setCeiling = (tlp_ceiling: number) =>
    changeGrant(hub.hub.db, reader, collection, operator, () => ({ can_read: true, tlp_ceiling }));
  const object = indicator({ object_marking_refs: [red] });
  await setCeiling(1);
  await hub.post(sender, `${path}/objects/`, { objects: [object] });
  await setCeiling(4);
  expect(await replay(hub.hub.db, reader, collection.id, { actor: operator })).toBe(1);
  const poll = async (after?: string) => {
    const query = after === undefined ? '' : `?added_after=${after}`;
    const answer = await hub.get(token, `${path}/objects/${query}`);
    return { objects: answer.json().objects ?? [], last: String(answer.headers['x-taxii-date-added-last']) };
  };
  return { token, sender, path, object, setCeiling, poll };
}

it('what has been replayed is gone again when the ceiling is lowered', async () => {
  const { token, path, object, setCeiling, poll } = await replayOne();
  expect((await poll()).objects).toEqual([object]);
  await setCeiling(3);
  expect((await poll()).objects).toEqual([]);
  expect((await hub.get(token, `${path}/manifest/?match[version]=all`)).json()).toEqual({ more: false });
  expect((await hub.get(token, `${path}/objects/?match[id]=${object.id}`)).json()).toEqual({ more: false });
  expect((await hub.get(token, `${path}/objects/${object.id}/?match[version]=all`)).statusCode).toBe(404);
  expect((await hub.get(token, `${path}/objects/${object.id}/versions/`)).statusCode).toBe(404);
});

it('what has been replayed, deleted and added again comes once more, where it was added', async () => {
  const { sender, path, object, poll } = await replayOne();
  const { last } = await poll();
  await hub.request(sender, { method: 'DELETE', url: `${path}/objects/${object.id}/` });
  expect((await poll()).objects).toEqual([]);
  await hub.post(sender, `${path}/objects/`, { objects: [object] });
  expect((await poll(last)).objects).toEqual([object]);
  expect((await poll()).objects).toEqual([object]);
});
