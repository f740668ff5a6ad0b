import { everything, pageObjects } from '../db/objects.ts';
import type { Db } from '../db/pool.ts';
import { tlpLevels } from '../stix/tlp.ts';
import { toVersionSelector } from './filter.ts';
import { beginning, end } from './timestamp.ts';

const page = { objectsMax: 1000, bytesMax: 8 * 1024 * 1024 };
const separator = ',\n';

/**
 * A collection as a STIX bundle (STIX 2.1 §8), piece by piece: all versions of all objects as they came, in the order
 * of date_added, so that importing it tells the same story. Memory stays at one page.
 */
export async function* exportBundle(db: Db, collectionId: string, bundleId: string): AsyncGenerator<string | Buffer> {
  const filter = { versions: toVersionSelector(['all']) };
  let after = beginning;
  let more = true;
  // A bundle without objects has no such key: lists are never empty (STIX 2.1 §2.12).
  let before = ',"objects":[\n';
  yield `{"type":"bundle","id":"${bundleId}"`;
  while (more) {
    const bounds = { after, until: end, levels: tlpLevels, ...page };
    const found = await pageObjects(db, collectionId, everything, filter, bounds, separator);
    if (found.count > 0) {
      yield before;
      yield* found.pieces;
      before = separator;
    }
    after = found.dateLast ?? after;
    more = found.more;
  }
  yield before === separator ? '\n]}\n' : '}\n';
}
