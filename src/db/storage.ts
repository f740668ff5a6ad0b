import { sql } from 'kysely';
import type { Db, Tx } from './pool.ts';

/** The bytes that partners have stored in a collection, by partner; without those that have stored nothing. */
export async function findStorage(db: Db, collectionId: string, partnerIds: string[]): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('storage')
    .select(['partner_id', 'bytes'])
    .where('collection_id', '=', collectionId)
    .where('partner_id', 'in', partnerIds)
    .execute();
  return new Map(rows.map(row => [row.partner_id, Number(row.bytes)]));
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

/**
 * Counts bytes that were added, or with a minus removed, by partner; at least one. The caller holds the collection's lock.
 */
export async function addStorage(tx: Tx, collectionId: string, bytesByPartner: Map<string, number>): Promise<void> {
  await tx
    .insertInto('storage')
    .values([...bytesByPartner].map(([partner_id, bytes]) => ({ collection_id: collectionId, partner_id, bytes })))
    .onConflict(conflict =>
      conflict.columns(['collection_id', 'partner_id']).doUpdateSet({
        bytes: sql`storage.bytes + excluded.bytes`,
      }),
    )
    .execute();
}
