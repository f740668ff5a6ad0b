import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { addRequestCounts } from '../../src/db/request-counts.ts';
import { SharedCounts } from '../../src/http/shared-counts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('counts of all nodes are added, in the newest minute', async () => {
  const { db } = database;
  expect(await addRequestCounts(db, 100, [{ partnerId: '2', requests: 5 }])).toEqual([{ partnerId: '2', requests: 5 }]);
  const both = [
    { partnerId: '3', requests: 1 },
    { partnerId: '2', requests: 7 },
  ];
  expect(await addRequestCounts(db, 100, both)).toEqual(
    expect.arrayContaining([
      { partnerId: '2', requests: 12 },
      { partnerId: '3', requests: 1 },
    ]),
  );
  expect(await addRequestCounts(db, 101, [{ partnerId: '2', requests: 1 }])).toEqual([{ partnerId: '2', requests: 1 }]);
  // From a node whose clock is behind.
  expect(await addRequestCounts(db, 100, [{ partnerId: '2', requests: 9 }])).toEqual([{ partnerId: '2', requests: 0 }]);
  expect(await addRequestCounts(db, 101, [{ partnerId: '2', requests: 1 }])).toEqual([{ partnerId: '2', requests: 2 }]);
});

it('nodes that count at the same time do not wait for each other in a circle', async () => {
  const partners = Array.from({ length: 50 }, (_, index) => ({ partnerId: String(1000 + index), requests: 1 }));
  const rounds = Array.from({ length: 40 }, (_, round) =>
    addRequestCounts(database.db, 500, round % 2 === 0 ? partners : partners.toReversed()),
  );
  await Promise.all(rounds);
  const sums = await addRequestCounts(database.db, 500, partners);
  expect(new Set(sums.map(one => one.requests))).toEqual(new Set([41]));
});

it('a node without its database goes on counting by itself, and says so once', async () => {
  // No new minute begins meanwhile.
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  const gone = database.open();
  await addRequestCounts(gone, 1, [{ partnerId: '7', requests: 1 }]);
  await gone.destroy();
  const log: string[] = [];
  const counts = new SharedCounts(gone, pino({ level: 'info' }, { write: line => void log.push(line) }));
  const count = () => counts.add('7').current;
  const first = count();
  await expect.poll(() => log.length).toBe(1);
  await expect.poll(() => count() > 20).toBe(true);
  expect(count()).toBeGreaterThan(first + 20);
  expect(log.map(line => JSON.parse(line).msg)).toEqual(['this node counts requests alone for now']);
  await counts.close();
  now.mockRestore();
});
