import type { CollectionRow } from '../db/collections.ts';
import type { Db } from '../db/pool.ts';
import { pageProvenance } from '../db/provenance.ts';
import { unknownOrigin } from '../taxii/provenance.ts';
import { beginning } from '../taxii/timestamp.ts';
import { describeCommand, printRows, requireCollectionsOf, withHub } from './command.ts';

const batchRowsMax = 1000;

export const provenanceCommand = () =>
  describeCommand('provenance <object-id>', 'tell who added each version of an object, with which token and request')
    .option('--collection <collection>', 'only there')
    .action((objectId, options) =>
      withHub(async ({ db }) => {
        const rows: object[] = [];
        for (const collection of await requireCollectionsOf(db, objectId, options.collection)) {
          for await (const row of readProvenance(db, collection, objectId)) rows.push(row);
        }
        printRows(rows, options);
      }),
    );

async function* readProvenance(db: Db, { id, alias }: CollectionRow, objectId: string) {
  let after = beginning;
  for (let more = true; more; ) {
    const page = await pageProvenance(db, id, { objectId }, { after, objectsMax: batchRowsMax });
    for (const { version_text: version, date_added, owner, actor, token, request_id, deleted_at } of page.rows) {
      const added_by = actor ?? unknownOrigin;
      yield {
        collection: alias,
        version,
        date_added,
        owner: owner ?? 'the hub',
        added_by,
        token,
        request_id,
        deleted_at,
      };
      after = date_added;
    }
    more = page.more;
  }
}
