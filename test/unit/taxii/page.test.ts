import { expect, it } from 'vitest';
import type { GrantedCollection } from '../../../src/db/grants.ts';
import type { PageBounds } from '../../../src/db/objects.ts';
import { readPage } from '../../../src/taxii/page.ts';

// Read together with the grant: what came later may be a replay that this grant does not know of yet, and a page that went
// past it would send its poller past what was replayed.
it('a page reads no further than the date that was read with the grant', async () => {
  const date_added_last = '2026-03-01T00:00:00.000000Z';
  const collection = { id: 'c', date_added_last, created_at: '2026-01-01T00:00:00.000000Z', tlp_held: 0b101 };
  let bounds: PageBounds | undefined;
  await readPage(
    { operation: 'getObjects', collection: collection as GrantedCollection, fields: [] },
    {},
    {
      config: { pageObjectsDefault: 10, pageObjectsMax: 10, pageBytesMax: 1000 },
      identity: { cursorKey: Buffer.alloc(32) },
    },
    async (_, given) => {
      bounds = given;
      return { dateFirst: undefined, dateLast: undefined, more: false };
    },
  );
  expect(bounds).toMatchObject({ until: date_added_last, levels: [0, 2] });
});
