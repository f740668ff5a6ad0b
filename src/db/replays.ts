import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { PlacedVersion } from './objects.ts';
import type { Tx } from './pool.ts';

/**
 * Lets versions stand at new dates for one partner, one microsecond after the other from the first one on; those that have
 * been replayed to it before move once more. The caller holds the collection's lock and has chosen the dates.
 */
export async function insertReplays(
  tx: Tx,
  { partnerId, collectionId }: { partnerId: string; collectionId: string },
  dateAddedFirst: TaxiiTimestamp,
  versions: PlacedVersion[],
): Promise<void> {
  await sql`
    insert into replay (partner_id, collection_id, date_added, object_id, version)
    select ${partnerId}, ${collectionId}, ${dateAddedFirst}::timestamptz + (n - 1) * interval '1 microsecond',
      object_id, version
    from unnest(${versions.map(one => one.object_id)}::text[], ${versions.map(one => one.version)}::text[])
      with ordinality as one(object_id, version, n)
    on conflict (object_id, collection_id, version, partner_id) do update set date_added = excluded.date_added`.execute(
    tx,
  );
}
