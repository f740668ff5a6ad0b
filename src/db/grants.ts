import { type RawBuilder, sql } from 'kysely';
import type { TlpLevel } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isUuid } from '../taxii/uuid.ts';
import { type CollectionRow, collectionColumns, isSlug } from './collections.ts';
import type { Db, Tx } from './pool.ts';

/** What a partner may do in a collection, whatever its token claims. */
export interface GrantedRights {
  can_read: boolean;
  can_write: boolean;
  /** the highest level that it may read */
  tlp_ceiling: TlpLevel;
  /** of what it stores there; null: what the hub's settings say; 0: no bound */
  quota_bytes: number | null;
  /** as a sender, it is told by name who has been handed its objects */
  sees_partners: boolean;
}

/** The same, and where the partner stands since its ceiling was raised. */
export interface Grant extends GrantedRights {
  /** the ceiling from before: what lies above it is behind the partner's cursor until it is replayed; null: nothing is */
  replay_above: TlpLevel | null;
  /** the date up to which the partner may have passed that by */
  replay_until: TaxiiTimestamp | null;
  /** the last date that versions were replayed to it under */
  replayed_last: TaxiiTimestamp | null;
}

/** A grant as it is listed. */
export interface GrantRow extends GrantedRights {
  partner: string;
  collection: string;
  stored_bytes: number;
  created_at: TaxiiTimestamp;
}

/** A collection, and what one partner may do in it. */
export interface GrantedCollection extends CollectionRow {
  grant: Grant;
}

const rightsColumns = ['can_read', 'can_write', 'tlp_ceiling', 'sees_partners'] as const;
// pg gives a bigint as text.
const quotaColumn = sql<number | null>`quota_bytes::float8`.as('quota_bytes');
const replayColumns = ['replay_above', 'replay_until', 'replayed_last'] as const;

/** The collection of that id or alias. undefined where there is none, or the partner has no grant in it. */
export async function findGrantedCollection(
  db: Db,
  partnerId: string,
  idOrAlias: string,
): Promise<GrantedCollection | undefined> {
  if (!isUuid(idOrAlias) && !isSlug(idOrAlias)) return undefined;
  const name = isUuid(idOrAlias) ? sql`collection.id = ${idOrAlias}` : sql`alias = ${idOrAlias}`;
  const [collection] = await selectGranted(db, partnerId, name);
  return collection;
}

/** The collections in which the partner has a grant, by id; of one API root where given. */
export async function listGrantedCollections(
  db: Db,
  partnerId: string,
  apiRoot?: string,
): Promise<GrantedCollection[]> {
  const ofRoot = apiRoot === undefined ? sql`true` : sql`api_root = ${apiRoot}`;
  return selectGranted(db, partnerId, sql`${ofRoot} order by collection.id`);
}

const grantedColumns = sql.raw(
  [...collectionColumns.map(column => `collection.${column}`), ...rightsColumns, ...replayColumns].join(', '),
);

// As text: every request below a collection asks for it, and kysely's builder takes longer to put it together than
// PostgreSQL to answer it.
async function selectGranted(db: Db, partnerId: string, rest: RawBuilder<unknown>): Promise<GrantedCollection[]> {
  const { rows } = await sql<CollectionRow & Grant>`
    select ${grantedColumns}, quota_bytes::float8 as quota_bytes
    from access_grant join collection on collection.id = access_grant.collection_id
    where partner_id = ${partnerId} and ${rest}`.execute(db);
  return rows.map(toGranted);
}

function toGranted(row: CollectionRow & Grant): GrantedCollection {
  const { can_read, can_write, tlp_ceiling, quota_bytes, sees_partners, ...others } = row;
  const { replay_above, replay_until, replayed_last, ...collection } = others;
  const rights = { can_read, can_write, tlp_ceiling, quota_bytes, sees_partners };
  return { ...collection, grant: { ...rights, replay_above, replay_until, replayed_last } };
}

/** What the partner may do in the collection now. undefined: nothing */
export async function findGrant(db: Db, partnerId: string, collectionId: string): Promise<Grant | undefined> {
  return db
    .selectFrom('access_grant')
    .select([...rightsColumns, ...replayColumns])
    .select(quotaColumn)
    .where('partner_id', '=', partnerId)
    .where('collection_id', '=', collectionId)
    .executeTakeFirst();
}

/** Writes what a partner may do in a collection, in the place of what it could do before. */
export async function putGrant(
  db: Db,
  partnerId: string,
  collectionId: string,
  grant: Pick<GrantedRights, 'can_read' | 'can_write' | 'tlp_ceiling'> & Partial<Grant>,
): Promise<void> {
  await db
    .insertInto('access_grant')
    .values({ partner_id: partnerId, collection_id: collectionId, ...grant })
    .onConflict(conflict => conflict.columns(['partner_id', 'collection_id']).doUpdateSet(grant))
    .execute();
}

/** Notes the last date that versions were replayed under. */
export async function setReplayedLast(
  tx: Tx,
  partnerId: string,
  collectionId: string,
  replayed_last: TaxiiTimestamp,
): Promise<void> {
  await tx
    .updateTable('access_grant')
    .set({ replayed_last })
    .where('partner_id', '=', partnerId)
    .where('collection_id', '=', collectionId)
    .execute();
}

/** Notes that nothing is behind the cursor any more, unless the ceiling was changed since the grant was read so. */
export async function setUncoveredReplayed(
  tx: Tx,
  partnerId: string,
  collectionId: string,
  read: { ceiling: TlpLevel; until: TaxiiTimestamp },
): Promise<void> {
  await tx
    .updateTable('access_grant')
    .set({ replay_above: null, replay_until: null })
    .where('partner_id', '=', partnerId)
    .where('collection_id', '=', collectionId)
    .where('tlp_ceiling', '=', read.ceiling)
    .where('replay_until', '=', read.until)
    .execute();
}

/** Takes all rights of a partner in a collection, and what was replayed to it there. */
export async function deleteGrant(tx: Tx, partnerId: string, collectionId: string): Promise<void> {
  for (const table of ['access_grant', 'replay'] as const) {
    await tx.deleteFrom(table).where('partner_id', '=', partnerId).where('collection_id', '=', collectionId).execute();
  }
}

/** All grants, or those of one partner, by partner and collection. */
export async function listGrants(db: Db, partnerId?: string): Promise<GrantRow[]> {
  return db
    .selectFrom('access_grant')
    .innerJoin('partner', 'partner.id', 'access_grant.partner_id')
    .innerJoin('collection', 'collection.id', 'access_grant.collection_id')
    .leftJoin('storage', join =>
      join
        .onRef('storage.partner_id', '=', 'access_grant.partner_id')
        .onRef('storage.collection_id', '=', 'access_grant.collection_id'),
    )
    .select(['partner.slug as partner', 'collection.alias as collection'])
    .select(rightsColumns)
    .select([quotaColumn, sql<number>`coalesce(storage.bytes, 0)::float8`.as('stored_bytes')])
    .select(sql.ref<TaxiiTimestamp>('access_grant.created_at').as('created_at'))
    .$if(partnerId !== undefined, query => query.where('access_grant.partner_id', '=', partnerId as string))
    .orderBy('partner')
    .orderBy('collection')
    .execute();
}
