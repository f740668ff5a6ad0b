import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { exportBundle } from '../../src/taxii/export.ts';
import { importObjects } from '../../src/taxii/import.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// That memory stays bounded, however large a bundle is: import reads on once what it has read is committed, and export once
// what it has given is taken.

const objects = 5000;
const chunkBytes = 64 * 1024;
const batchObjects = 1000;
const pageObjects = 1000;
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

it('a bundle is read no further than a batch beyond what is committed, and written a page at a time', async () => {
  const collection = await hub.addCollection();
  const partner = await hub.addPartner();
  const text = Buffer.from(`{"objects":[${Array.from({ length: objects }, () => JSON.stringify(indicator()))}]}`);
  const batchBytes = (text.length / objects) * batchObjects;
  let readBytes = 0;
  let committed = 0;
  let ahead = 0;
  const chunks = function* () {
    for (let at = 0; at < text.length; at += chunkBytes) {
      readBytes = Math.min(at + chunkBytes, text.length);
      ahead = Math.max(ahead, readBytes - committed * (text.length / objects));
      yield text.subarray(at, readBytes);
    }
  };
  const sender = { partnerId: partner.id, partner: partner.slug, actor: operator };
  await importObjects(hub.hub, collection, sender, chunks(), ({ outcomes }) => {
    committed += outcomes.length;
  });
  expect(committed).toBe(objects);
  expect(ahead).toBeLessThanOrEqual(batchBytes + 2 * chunkBytes);

  const query = vi.spyOn(pg.Client.prototype, 'query');
  const pagesRead = () => (query.mock.calls as unknown[][]).filter(([sent]) => isPage(sent)).length;
  const pieces = exportBundle(hub.hub.db, collection.id, 'bundle--1');
  // The head of the bundle, the head of the list, and the first bytes of the objects.
  for (const pages of [0, 1, 1]) {
    await pieces.next();
    expect(pagesRead()).toBe(pages);
  }
  for await (const _ of pieces);
  expect(pagesRead()).toBe(objects / pageObjects);
  query.mockRestore();
});

const isPage = (sent: unknown) => /from object_version/.test(typeof sent === 'string' ? sent : JSON.stringify(sent));
