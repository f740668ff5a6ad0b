import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from './pool.ts';
import type { Statement } from './together.ts';

/** The bytes that partners have stored in a collection, as readTogether reads them; none of those that have stored nothing. */
export function storedBytes(
  collectionId: string,
  partnerIds: string[],
): RawBuilder<{ partner_id: string; bytes: number }> {
  return sql`
    select partner_id::text, bytes from storage
    where collection_id = ${collectionId} and partner_id = any(${partnerIds}::bigint[])`;
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

/** Counts bytes that were added, or with a minus removed, by partner; at least one. The caller holds the collection's lock. */
export async function addStorage(tx: Tx, collectionId: string, bytesByPartner: Map<string, number>): Promise<void> {
  await countBytes(collectionId, bytesByPartner).execute(tx);
}

/** The statement of addStorage. */
export function countBytes(collectionId: string, bytesByPartner: Map<string, number>): Statement {
  return sql`
    insert into storage (collection_id, partner_id, bytes)
    select ${collectionId}, partner_id, bytes
    from unnest(${[...bytesByPartner.keys()]}::bigint[], ${[...bytesByPartner.values()]}::bigint[]) as one(partner_id, bytes)
    on conflict (collection_id, partner_id) do update set bytes = storage.bytes + excluded.bytes`;
}
