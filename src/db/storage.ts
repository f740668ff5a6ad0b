import { sql } from 'kysely';
import type { Db, Tx } from './pool.ts';

/** The bytes that a partner has stored in a collection. */
export async function findStorage(db: Db, collectionId: string, partnerId: string): Promise<number> {
  const row = await db
    .selectFrom('storage')
    .select('bytes')
    .where('collection_id', '=', collectionId)
    .where('partner_id', '=', partnerId)
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}

/** The bytes that a partner has stored, by the ids of the collections in which it has. */
export async function listStorage(db: Db, partnerId: string): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('storage')
    .select(['collection_id', 'bytes'])
    .where('partner_id', '=', partnerId)
    .execute();
  return new Map(rows.map(row => [row.collection_id, Number(row.bytes)]));
}

/** Counts bytes that were added, or with a minus removed. The caller holds the collection's lock. */
export async function addStorage(tx: Tx, collectionId: string, partnerId: string, bytes: number): Promise<void> {
  await tx
    .insertInto('storage')
    .values({ collection_id: collectionId, partner_id: partnerId, bytes })
    .onConflict(conflict =>
      conflict.columns(['collection_id', 'partner_id']).doUpdateSet({
        bytes: sql`storage.bytes + excluded.bytes`,
      }),
    )
    .execute();
}
