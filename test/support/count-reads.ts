import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Hub } from '../../src/hub.ts';

/** Has each page that the database is asked for take a while, and counts how many were read at once at the most. */
export function countReads({ replicas }: Hub): { most: number } {
  const reads = { most: 0 };
  let underWay = 0;
  const read = replicas.read.bind(replicas);
  vi.spyOn(replicas, 'read').mockImplementation(async (...asked) => {
    underWay += 1;
    reads.most = Math.max(reads.most, underWay);
    await sleep(50);
    return read(...asked).finally(() => {
      underWay -= 1;
    });
  });
  return reads;
}
