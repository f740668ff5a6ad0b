import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CollectionRow, findCollection, levelsOf } from '../../src/db/collections.ts';
import { type ObjectFilter, type PageBounds, pageObjects, type Reader } from '../../src/db/objects.ts';
import { shareReads } from '../../src/taxii/shared-reads.ts';
import { beginning } from '../../src/taxii/timestamp.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

const markings = {
  amber: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  red: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
};
const filter: ObjectFilter = { versions: { all: false, first: false, last: true, instants: [] } };

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.close());

/** A collection in which two partners have added an object of each of these levels, and what a page is cut from there. */
async function prepare(...levels: (keyof typeof markings)[]) {
  const { id, alias } = await hub.addCollection();
  const ids: string[] = [];
  for (const partner of [await hub.addPartner(), await hub.addPartner()]) {
    const token = await hub.tokenFor(partner, `collection:${alias}:write`);
    const objects = levels.map(level => indicator({ object_marking_refs: [markings[level]] }));
    await hub.post(token, `/hub/collections/${alias}/objects/`, { objects });
    ids.push(partner.id);
  }
  const collection = required(await findCollection(hub.hub.db, id));
  const bounds: PageBounds = {
    after: beginning,
    until: collection.date_added_last,
    levels: levelsOf(collection),
    objectsMax: 100,
    bytesMax: 1e6,
  };
  const readers = ids.map((partnerId): Reader => ({ partnerId, ceiling: 2, replayedLast: null }));
  return { collection, bounds, readers: readers as [Reader, Reader] };
}

describe('reads of the same page at the same time', () => {
  it('are one, whichever partner asks, where all is within the ceiling of both', async () => {
    const { collection, bounds, readers } = await prepare('amber');
    const read = shareReads(hub.hub.replicas);
    const [one, other] = await Promise.all(readers.map(reader => read(collection, reader, filter, bounds)));
    expect(one).toBe(other);
    expect(one).toEqual(await pageObjects(hub.hub.db, collection.id, readers[0], filter, bounds));
    // Nothing is kept.
    expect(await read(collection, readers[0], filter, bounds)).not.toBe(one);
  });

  it('are not, where a partner has added something above its ceiling', async () => {
    const { collection, bounds, readers } = await prepare('amber', 'red');
    const read = shareReads(hub.hub.replicas);
    const pages = await Promise.all(readers.map(reader => read(collection, reader, filter, bounds)));
    for (const [index, reader] of readers.entries()) {
      expect(pages[index]).toEqual(await pageObjects(hub.hub.db, collection.id, reader, filter, bounds));
      expect(pages[index]?.count).toBe(3);
    }
    expect(pages[0]).not.toEqual(pages[1]);
  });

  it.each([
    ['ceilings', ({ readers: [reader], ...rest }) => ({ ...rest, reader: { ...reader, ceiling: 1 } })],
    ['filters', ({ readers: [reader], ...rest }) => ({ ...rest, reader, filter: { ...filter, types: ['tool'] } })],
    ['bounds', ({ readers: [reader], bounds, ...rest }) => ({ ...rest, reader, bounds: { ...bounds, objectsMax: 1 } })],
    [
      'replays',
      ({ readers: [reader], bounds, ...rest }) => ({
        ...rest,
        bounds,
        reader: { ...reader, replayedLast: bounds.until },
      }),
    ],
    [
      'knowledge of what was removed',
      ({ readers: [reader], collection, ...rest }) => ({
        ...rest,
        reader,
        collection: { ...collection, past_revision: `${Number(collection.past_revision) + 1}` },
      }),
    ],
    [
      'knowledge of rights',
      ({ readers: [reader], collection, ...rest }) => ({
        ...rest,
        reader,
        collection: { ...collection, grants_revision: `${Number(collection.grants_revision) + 1}` },
      }),
    ],
  ] as [string, Change][])('are not with other %s', async (_, change) => {
    const asked = await prepare('amber');
    const read = shareReads(hub.hub.replicas);
    const { collection, reader, bounds, filter: changed = filter } = { ...asked, ...change(asked) };
    const pages = await Promise.all([
      read(asked.collection, asked.readers[0], filter, asked.bounds),
      read(collection, reader, changed, bounds),
    ]);
    expect(pages[0]).not.toBe(pages[1]);
  });
});

type Asked = Awaited<ReturnType<typeof prepare>>;
type Change = (asked: Asked) => {
  reader: Reader;
  filter?: ObjectFilter;
  bounds?: PageBounds;
  collection?: CollectionRow;
};
