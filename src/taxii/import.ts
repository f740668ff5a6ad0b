import { isUtf8 } from 'node:buffer';
import type { HubIdentity } from '../auth/hub-identity.ts';
import type { CollectionRow } from '../db/collections.ts';
import { inPipeline } from '../db/pipeline.ts';
import type { Db, Tx } from '../db/pool.ts';
import { HubError } from '../errors.ts';
import type { Validator } from '../stix/validate.ts';
import { admit, type Sender } from './admission.ts';
import { findAnonymity } from './anonymity.ts';
import { judge, type Outcome } from './judging.ts';
import { type ObjectSlice, ObjectSlicer } from './object-slices.ts';

const batchObjectsMax = 1000;
const batchBytesMax = 8 * 1024 * 1024;

/** What an import needs of a hub. With a transaction as db, all of it happens in that. */
export interface ImportContext {
  db: Db | Tx;
  validator: Validator;
  identity: Pick<HubIdentity, 'stixId'>;
  config: { bodyBytesMax: number };
}

export interface ImportProgress {
  bytes: number;
  outcomes: Outcome[];
}

/**
 * Adds the objects of a bundle or envelope of any size, as a POST would, batch by batch: memory stays bounded, and what
 * a batch has committed stays when a later one fails. Running it again is harmless.
 * @param onProgress called after each batch, with the bytes read so far and what became of its objects
 * @throws HubError envelope-malformed
 */
export async function importObjects(
  context: ImportContext,
  collection: CollectionRow,
  sender: Sender,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  onProgress: (progress: ImportProgress) => void = () => {},
): Promise<void> {
  const anonymity = await findAnonymity(context, collection, sender.partnerId);
  const unknownTlp = new Set<string>();
  const slicer = new ObjectSlicer({ elementBytesMax: context.config.bodyBytesMax });
  let batch: ObjectSlice[] = [];
  let batchBytes = 0;
  let bytes = 0;

  const flush = async () => {
    if (batch.length === 0) return;
    const { validation: policy } = collection;
    const judged = await judge(batch, context.validator, { policy, now: new Date(), anonymity, unknownTlp });
    const { outcomes } = await inTransaction(context.db, tx => admit(tx, collection.id, [{ sender, judged }]));
    batch = [];
    batchBytes = 0;
    onProgress({ bytes, outcomes: outcomes.flat() });
  };

  for await (const chunk of chunks) {
    bytes += chunk.length;
    for (const slice of slicer.push(chunk)) {
      if (!isUtf8(slice.bytes)) {
        throw new HubError('envelope-malformed', `The object that starts at byte ${slice.offset} is not valid UTF-8.`);
      }
      batch.push(slice);
      batchBytes += slice.bytes.length;
      if (batch.length >= batchObjectsMax || batchBytes >= batchBytesMax) await flush();
    }
  }
  if (!slicer.end().hasObjects) {
    throw new HubError('envelope-malformed', 'There is no bundle or envelope in it: no list called objects.');
  }
  await flush();
}

function inTransaction<Result>(db: Db | Tx, run: (tx: Tx) => Promise<Result>): Promise<Result> {
  return db.isTransaction ? run(db as Tx) : inPipeline(db, run);
}
