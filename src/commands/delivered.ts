import type { CollectionRow } from '../db/collections.ts';
import type { Db } from '../db/pool.ts';
import { pageDeliveries } from '../db/receipts.ts';
import { OperatorError } from '../errors.ts';
import { isTimestamp, toInstant } from '../stix/timestamp.ts';
import { beginning } from '../taxii/timestamp.ts';
import { describeCommand, printRows, requireCollectionsOf, withHub } from './command.ts';

const batchRowsMax = 100;

export const deliveredCommand = () =>
  describeCommand(
    'delivered <object-id>',
    'tell which partners have been handed an object, when, and which have not yet',
  )
    .option('--collection <collection>', 'only there')
    .option('--version <date>', 'only the version with this date')
    .action((objectId, options) =>
      withHub(async ({ db }) => {
        const version = options.version && requireVersion(options.version);
        const rows: object[] = [];
        for (const collection of await requireCollectionsOf(db, objectId, options.collection)) {
          for await (const row of readDeliveries(db, collection, { objectId, version })) rows.push(row);
        }
        printRows(rows, options);
      }),
    );

/** A row for each partner that has been handed a version, and for each that may see it and has not. */
async function* readDeliveries(db: Db, { id, alias }: CollectionRow, wanted: { objectId: string; version?: string }) {
  let after = beginning;
  for (let more = true; more; ) {
    const page = await pageDeliveries(db, id, { objectId: wanted.objectId }, { after, objectsMax: batchRowsMax });
    for (const { version, version_text, date_added, deleted_at, delivered, pending } of page.rows) {
      after = date_added;
      if (wanted.version !== undefined && wanted.version !== version) continue;
      const row = { collection: alias, version: version_text, date_added, deleted_at };
      for (const { partner, sector, at } of delivered) yield { ...row, partner, sector, handed_out: at };
      for (const { partner, sector } of pending) yield { ...row, partner, sector, handed_out: null };
    }
    more = page.more;
  }
}

function requireVersion(text: string): string {
  if (isTimestamp(text)) return toInstant(text);
  throw new OperatorError(`--version takes a date such as 2026-01-31T12:00:00.000Z, not "${text}".`);
}
