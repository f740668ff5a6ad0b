import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isKeptOf } from './conditions.ts';
import { type Page, type PageBounds, toPage } from './objects.ts';
import type { Db } from './pool.ts';

/** Where a version came from. */
export interface ProvenanceRow {
  date_added: TaxiiTimestamp;
  version_text: string;
  deleted_at: TaxiiTimestamp | null;
  /** whose it is: null, where the hub put it there itself */
  owner: string | null;
  /** as the audit log has it; null: the version is older than the log */
  actor: string | null;
  token: string | null;
  request_id: string | null;
}

/**
 * The versions of an object that are or were in a collection, with the row of the audit log that tells of each, in the
 * order of date_added. The dates of a batch are contiguous, so that it is the first row that ends at the version or later.
 * @param ownerId where given, versions of others are left out
 */
export async function pageProvenance(
  db: Db,
  collectionId: string,
  { objectId, ownerId }: { objectId: string; ownerId?: string },
  bounds: Pick<PageBounds, 'after' | 'objectsMax'>,
): Promise<Page<ProvenanceRow>> {
  const id = sql`${objectId}::text`;
  const isWanted = sql`date_added > ${bounds.after}::timestamptz and ${ownerId === undefined ? sql`true` : sql`added_by = ${ownerId}`}`;
  const { rows } = await sql<ProvenanceRow>`
    select one.date_added, one.version_text, one.deleted_at, partner.slug as owner,
      told.actor, nullif(told.token, '') as token, nullif(told.request_id, '') as request_id
    from (
      select date_added, version_text, added_by, null::timestamptz as deleted_at from object_version
      where ${isKeptOf('object_version', collectionId, id)} and ${isWanted}
      union all
      select date_added, version_text, added_by, deleted_at from deleted_version
      where ${isKeptOf('deleted_version', collectionId, id)} and ${isWanted}
      order by date_added limit ${bounds.objectsMax + 1}
    ) one
    left join partner on partner.id = one.added_by
    left join lateral (
      select * from audit where chain = ${collectionId} and date_added_last >= one.date_added
      order by date_added_last limit 1
    ) told on told.date_added_first <= one.date_added
    order by one.date_added`.execute(db);
  return toPage(rows, bounds.objectsMax);
}

/** The collections that hold an object, or have held it. */
export async function listCollectionsOf(db: Db, objectId: string): Promise<string[]> {
  const { rows } = await sql<{ collection_id: string }>`
    select collection_id from object_version where object_id = ${objectId}
    union select collection_id from deleted_version where object_id = ${objectId}
    order by collection_id`.execute(db);
  return rows.map(row => row.collection_id);
}
