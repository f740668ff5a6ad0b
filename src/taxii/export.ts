import { everything, pageObjects } from '../db/objects.ts';
import type { Db } from '../db/pool.ts';
import { tlpLevels } from '../stix/tlp.ts';
import { toVersionSelector } from './filter.ts';
import { beginning, end } from './timestamp.ts';

const page = { objectsMax: 1000, bytesMax: 8 * 1024 * 1024 };

/**
 * A collection as a STIX bundle (STIX 2.1 §8), piece by piece: all versions of all objects as they came, in the order
 * of date_added, so that importing it tells the same story. Memory stays at one page.
 */
export async function* exportBundle(db: Db, collectionId: string, bundleId: string): AsyncGenerator<string> {
  const filter = { versions: toVersionSelector(['all']) };
  let after = beginning;
  let more = true;
  let head = `{"type":"bundle","id":"${bundleId}"`;
  while (more) {
    const { rows, more: follows } = await pageObjects(db, collectionId, everything, filter, {
      after,
      until: end,
      levels: tlpLevels,
      ...page,
    });
    for (const { object } of rows) {
      // A bundle without objects has no such key: lists are never empty (STIX 2.1 §2.12).
      yield `${head}${head.startsWith('{') ? ',"objects":[\n' : ',\n'}${object}`;
      head = '';
    }
    after = rows.at(-1)?.date_added ?? after;
    more = follows;
  }
  yield head === '' ? '\n]}\n' : `${head}}\n`;
}
