import { type RawBuilder, sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isKeptOf } from './conditions.ts';
import { type Page, type PageBounds, toPage } from './objects.ts';
import type { Db } from './pool.ts';

/** Dates of one collection. */
export interface ReceiptDates {
  first: TaxiiTimestamp;
  last: TaxiiTimestamp;
  /** all of them, as migrations/0008_receipts.sql says */
  runs: Buffer;
}

/** What a partner was handed of a collection. */
export interface NewReceipt {
  partnerId: string;
  collectionId: string;
  dates: ReceiptDates;
}

/** What stands in a receipt from now on. */
export interface ChangedReceipt {
  id: string;
  collectionId: string;
  dates: ReceiptDates;
}

/**
 * Adds receipts, at most one a partner and collection. The commit of this and of changeReceipts does not wait for the disk:
 * what a crash of the database can take is some tenths of a second.
 * @returns their ids, in their order
 */
export async function insertReceipts(db: Db, receipts: NewReceipt[]): Promise<string[]> {
  const { rows } = await sql<{ id: string; collection_id: string; partner_id: string }>`
    insert into receipt (collection_id, date_added_first, date_added_last, runs, partner_id, handed_out_at)
    select one.*, clock_timestamp() from ${withoutWaiting},
      unnest(${toColumns(receipts)}, ${receipts.map(({ partnerId }) => partnerId)}::bigint[]) as one
    returning id, collection_id, partner_id`.execute(db);
  const ids = new Map(rows.map(row => [`${row.partner_id} ${row.collection_id}`, row.id]));
  return receipts.map(({ partnerId, collectionId }) => ids.get(`${partnerId} ${collectionId}`) as string);
}

/** Writes what stands in receipts from now on. @throws Error where one of them is gone */
export async function changeReceipts(db: Db, receipts: ChangedReceipt[]): Promise<void> {
  const { numAffectedRows } = await sql`
    update receipt set date_added_first = one.first, date_added_last = one.last, runs = one.runs
    from ${withoutWaiting}, unnest(${toColumns(receipts)}, ${receipts.map(({ id }) => id)}::bigint[])
      as one(collection_id, first, last, runs, id)
    where receipt.collection_id = one.collection_id and receipt.id = one.id`.execute(db);
  if (Number(numAffectedRows) < receipts.length) throw new Error('a receipt that is to change is gone');
}

// For the transaction of the statement alone.
const withoutWaiting = sql`(select set_config('synchronous_commit', 'off', true)) as setting`;

function toColumns(receipts: { collectionId: string; dates: ReceiptDates }[]): RawBuilder<unknown> {
  return sql`${receipts.map(one => one.collectionId)}::uuid[], ${receipts.map(one => one.dates.first)}::timestamptz[],
    ${receipts.map(one => one.dates.last)}::timestamptz[], ${receipts.map(one => one.dates.runs)}::bytea[]`;
}

/** A partner that has been handed a version, or may see it. */
export interface Recipient {
  partner: string;
  sector: string;
}

/** Who has been handed a version. The partner that sent it is not among them. */
export interface DeliveryRow {
  date_added: TaxiiTimestamp;
  version: string;
  version_text: string;
  deleted_at: TaxiiTimestamp | null;
  /** by time; `at` is the time of the receipt: it was handed out then, or within the minute after */
  delivered: (Recipient & { at: TaxiiTimestamp })[];
  /** those that may see it now and have not been handed it, by slug; nobody, once it is deleted */
  pending: Recipient[];
}

/**
 * The versions of an object that are or were in a collection, in the order of date_added, with those that have been handed
 * them and those that have not.
 * @param ownerId where given, versions of others are left out
 */
export async function pageDeliveries(
  db: Db,
  collectionId: string,
  { objectId, ownerId }: { objectId: string; ownerId?: string },
  bounds: Pick<PageBounds, 'after' | 'objectsMax'>,
): Promise<Page<DeliveryRow>> {
  const id = sql`${objectId}::text`;
  const isWanted = sql`date_added > ${bounds.after}::timestamptz
    and ${ownerId === undefined ? sql`true` : sql`added_by = ${ownerId}`}`;
  const { rows } = await sql<DeliveryRow>`
    with one as (
      select date_added, version, version_text, added_by, tlp, null::timestamptz as deleted_at from object_version
      where ${isKeptOf('object_version', collectionId, id)} and ${isWanted}
      union all
      select date_added, version, version_text, added_by, null, deleted_at from deleted_version
      where ${isKeptOf('deleted_version', collectionId, id)} and ${isWanted}
      order by date_added limit ${bounds.objectsMax + 1}
    ), handed as (
      select one.date_added, partner_id, at from one cross join lateral (
        select partner_id, min(handed_out_at) as at from receipt
        where collection_id = ${collectionId} and partner_id <> one.added_by
          and tstzrange(date_added_first, date_added_last, '[]') @> one.date_added
          and receipt_holds(runs, one.date_added)
        group by partner_id
        offset 0
      ) receipts
    )
    select one.date_added, version, version_text, deleted_at,
      coalesce((
        select json_agg(json_build_object('partner', slug, 'sector', sector, 'at',
          to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by at, slug)
        from handed join partner on partner.id = partner_id
        where handed.date_added = one.date_added
      ), '[]') as delivered,
      coalesce((
        select json_agg(json_build_object('partner', slug, 'sector', sector) order by slug)
        from access_grant join partner on partner.id = partner_id
        where collection_id = ${collectionId} and can_read and disabled_at is null and tlp_ceiling >= one.tlp
          and partner_id <> one.added_by
          and not exists (
            select from handed where handed.date_added = one.date_added and handed.partner_id = access_grant.partner_id
          )
      ), '[]') as pending
    from one order by one.date_added`.execute(db);
  return toPage(rows, bounds.objectsMax);
}
