import { type RawBuilder, sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

/** Which versions of an object are meant (`match[version]`, TAXII 2.1 §3.4.1). */
export interface VersionSelector {
  all: boolean;
  first: boolean;
  last: boolean;
  /** as `stix/timestamp.ts: toInstant` writes them */
  instants: string[];
}

/** What a page is cut from. Absent lists do not filter. */
export interface ObjectFilter {
  ids?: string[];
  types?: string[];
  specVersions?: string[];
  versions: VersionSelector;
}

export interface PageBounds {
  /** exclusive */
  after: TaxiiTimestamp;
  objectsMax: number;
  /** the page ends before the object that would pass it, but holds at least one */
  bytesMax: number;
}

export interface ObjectRow {
  date_added: TaxiiTimestamp;
  object: string;
}

export interface ManifestRow {
  date_added: TaxiiTimestamp;
  object_id: string;
  version_text: string;
}

export interface Page<Row> {
  rows: Row[];
  /** whether matching versions follow the last row */
  more: boolean;
}

/**
 * A page of objects in the order of date_added: one statement, a range of one index, at most objectsMax + 1 rows and
 * about bytesMax bytes. Rows past bytesMax come without their text, which PostgreSQL then does not even read.
 */
export async function pageObjects(
  db: Db,
  collectionId: string,
  filter: ObjectFilter,
  bounds: PageBounds,
): Promise<Page<ObjectRow>> {
  const matching = selectMatching(collectionId, filter, bounds, sql`date_added, object, octet_length(object) as bytes`);
  const { rows } = await sql<{ date_added: TaxiiTimestamp; object: string | null }>`
    select date_added, case when bytes_to_here - bytes = 0 or bytes_to_here <= ${bounds.bytesMax} then object end as object
    from (
      select matching.*, sum(bytes) over (order by date_added rows unbounded preceding) as bytes_to_here
      from (${matching}) matching
    ) measured
    order by date_added`.execute(db);
  const fitting = rows.slice(0, bounds.objectsMax).filter((row): row is ObjectRow => row.object !== null);
  return { rows: fitting, more: fitting.length < rows.length };
}

/** The same page as manifest entries (TAXII 2.1 §5.3.1). */
export async function pageManifest(
  db: Db,
  collectionId: string,
  filter: ObjectFilter,
  bounds: PageBounds,
): Promise<Page<ManifestRow>> {
  const matching = selectMatching(collectionId, filter, bounds, sql`date_added, object_id, version_text`);
  const { rows } = await sql<ManifestRow>`${matching}`.execute(db);
  return { rows: rows.slice(0, bounds.objectsMax), more: rows.length > bounds.objectsMax };
}

/** Whether the collection holds any version of the object. */
export async function hasObject(db: Db, collectionId: string, objectId: string): Promise<boolean> {
  const isOfObject = isVersionOf(collectionId, sql`${objectId}::text`);
  const { rows } = await sql`select 1 from object_version where ${isOfObject} limit 1`.execute(db);
  return rows.length > 0;
}

// One row more than asked for tells whether there is more.
function selectMatching(collectionId: string, filter: ObjectFilter, bounds: PageBounds, columns: RawBuilder<unknown>) {
  const conditions = [
    ...matchVersions(filter.versions),
    ...(filter.specVersions ? [sql`spec_version = any(${filter.specVersions})`] : []),
  ];
  const after = sql`${bounds.after}::timestamptz`;
  const limit = bounds.objectsMax + 1;
  if (filter.ids) {
    if (filter.types) conditions.push(sql`type = any(${filter.types})`);
    return sql`
      select ${columns} from unnest(${filter.ids}::text[]) as wanted(id) cross join lateral (
        select * from object_version
        where ${isVersionOf(collectionId, sql`wanted.id`)} and date_added > ${after} ${all(conditions)}
        offset 0
      ) found
      order by date_added limit ${limit}`;
  }
  if (filter.types) {
    // Each type is a range of its own, already in order; what is merged is at most `limit` rows a type.
    return sql`
      select found.* from unnest(${filter.types}::text[]) as wanted(type) cross join lateral (
        select ${columns} from object_version
        where (type, collection_id, date_added) > (wanted.type, ${collectionId}::uuid, ${after})
          and (type, collection_id, date_added) <= (wanted.type, ${collectionId}::uuid, 'infinity') ${all(conditions)}
        order by object_version.type, collection_id, date_added limit ${limit}
      ) found
      order by date_added limit ${limit}`;
  }
  return sql`
    select ${columns} from object_version
    where collection_id = ${collectionId} and date_added > ${after} ${all(conditions)}
    order by date_added limit ${limit}`;
}

function all(conditions: RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length > 0 ? sql`and ${sql.join(conditions, sql` and `)}` : sql``;
}

/**
 * The stored versions of an object, as a range of object_version_key. Written as a comparison of rows, which no other
 * index can serve: for a collection that is newer than its statistics the planner takes all indexes for equally good,
 * and may read the whole collection for each id. Versions begin with a digit, so that they lie between '' and '~'.
 */
function isVersionOf(collectionId: string, objectId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`object_version.object_id = ${objectId}
    and (object_version.object_id, collection_id, version) >= (${objectId}, ${collectionId}::uuid, '')
    and (object_version.object_id, collection_id, version) <= (${objectId}, ${collectionId}::uuid, '~')`;
}

function matchVersions(versions: VersionSelector): RawBuilder<unknown>[] {
  if (versions.all) return [];
  const any = [
    ...(versions.last ? [sql`is_last`] : []),
    ...(versions.first ? [sql`is_first`] : []),
    ...(versions.instants.length > 0 ? [sql`version = any(${versions.instants})`] : []),
  ];
  return [sql`(${sql.join(any, sql` or `)})`];
}

/** What is stored of an object id: its first and last version, and those that are being added again. */
export interface KnownVersion {
  object_id: string;
  version: string;
  added_by: string;
  is_first: boolean;
  is_last: boolean;
  /** of the stored text */
  sha256: Buffer;
}

export interface NewVersion {
  objectId: string;
  version: string;
  versionText: string;
  type: string;
  specVersion: string;
  isFirst: boolean;
  isLast: boolean;
  text: Buffer;
}

// Columns travel as one text each, split by PostgreSQL: arrays cost pg several times the insert itself. The separator
// is a control character, which neither an identifier nor JSON text can hold.
const separator = '\x1e';

// The lookups below go from what came to what is stored, one by one. OFFSET 0 keeps the planner from turning that round.

/** The stored versions that matter for adding these. The caller holds the collection's lock. */
export async function findKnownVersions(
  tx: Tx,
  collectionId: string,
  incoming: { objectId: string; version: string }[],
): Promise<KnownVersion[]> {
  const { rows } = await sql<KnownVersion>`
    select known.* from (
      select object_id, array_agg(version) as versions
      from unnest(${splitText(incoming, one => one.objectId)}, ${splitText(incoming, one => one.version)})
        as one(object_id, version)
      group by object_id
    ) incoming cross join lateral (
      select object_id, version, added_by, is_first, is_last, sha256(convert_to(object, 'UTF8')) as sha256
      from object_version
      where ${isVersionOf(collectionId, sql`incoming.object_id`)}
        and (is_first or is_last or version = any(incoming.versions))
      offset 0
    ) known`.execute(tx);
  return rows;
}

/** The stored texts of these versions, except of those longer than their bytesMax. */
export async function findStoredTexts(
  tx: Tx,
  collectionId: string,
  versions: { objectId: string; version: string; bytesMax: number }[],
): Promise<{ object_id: string; version: string; object: string }[]> {
  const { rows } = await sql<{ object_id: string; version: string; object: string }>`
    select stored.* from unnest(
      ${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)},
      ${splitText(versions, one => String(one.bytesMax))}
    ) as wanted(object_id, version, bytes_max) cross join lateral (
      select object_id, version, object from object_version
      where ${isVersionOf(collectionId, sql`wanted.object_id`)} and version = wanted.version
        and octet_length(object) <= bytes_max::integer
      offset 0
    ) stored`.execute(tx);
  return rows;
}

/**
 * Adds versions, one microsecond after the other from dateAddedFirst on, in one statement. The caller holds the
 * collection's lock and has chosen dates later than every other in it.
 */
export async function insertVersions(
  tx: Tx,
  collectionId: string,
  addedBy: string,
  dateAddedFirst: TaxiiTimestamp,
  versions: NewVersion[],
): Promise<void> {
  await sql`
    insert into object_version (collection_id, date_added, added_by, is_first, is_last,
      object_id, version, version_text, type, spec_version, object)
    select ${collectionId}, ${dateAddedFirst}::timestamptz + (n - 1) * interval '1 microsecond', ${addedBy},
      is_first = 't', is_last = 't', object_id, version, version_text, type, spec_version, object
    from unnest(
      ${splitText(versions, one => (one.isFirst ? 't' : 'f'))}, ${splitText(versions, one => (one.isLast ? 't' : 'f'))},
      ${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)}, ${splitText(versions, one => one.versionText)},
      ${splitText(versions, one => one.type)}, ${splitText(versions, one => one.specVersion)},
      string_to_array(${joinTexts(versions)}, ${separator})
    ) with ordinality
      as one(is_first, is_last, object_id, version, version_text, type, spec_version, object, n)`.execute(tx);
}

/** Takes a mark from versions that are no longer the first or the last of their object, in one statement. */
export async function clearMark(
  tx: Tx,
  collectionId: string,
  mark: 'is_first' | 'is_last',
  versions: { objectId: string; version: string }[],
): Promise<void> {
  if (versions.length === 0) return;
  await sql`
    update object_version set ${sql.ref(mark)} = false
    where collection_id = ${collectionId} and ctid = any(array(
      select outdated.ctid
      from unnest(${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)})
        as one(object_id, version) cross join lateral (
          select ctid from object_version
          where ${isVersionOf(collectionId, sql`one.object_id`)} and version = one.version
          offset 0
        ) outdated
    ))`.execute(tx);
}

/**
 * Removes versions of an object that the partner owns, and marks the first and last of what is left. The caller holds
 * the collection's lock.
 * @returns how many were removed, and their bytes: 0 where there are none, or they are another partner's
 */
export async function deleteVersions(
  tx: Tx,
  collectionId: string,
  objectId: string,
  filter: { addedBy: string; versions: VersionSelector; specVersions?: string[] },
): Promise<{ versions: number; bytes: number }> {
  const isOfObject = isVersionOf(collectionId, sql`${objectId}::text`);
  const conditions = [
    sql`added_by = ${filter.addedBy}`,
    ...matchVersions(filter.versions),
    ...(filter.specVersions ? [sql`spec_version = any(${filter.specVersions})`] : []),
  ];
  const { rows } = await sql<{ versions: number; bytes: number }>`
    with deleted as (
      delete from object_version where ${isOfObject} ${all(conditions)} returning octet_length(object) as bytes
    )
    select count(*)::integer as versions, coalesce(sum(bytes), 0)::float8 as bytes from deleted`.execute(tx);
  await sql`
    update object_version set is_first = (version = ends.first), is_last = (version = ends.last)
    from (select min(version) as first, max(version) as last from object_version where ${isOfObject}) ends
    where ${isOfObject} and (is_first <> (version = ends.first) or is_last <> (version = ends.last))`.execute(tx);
  return rows[0] ?? { versions: 0, bytes: 0 };
}

/** One column of many rows, as one parameter. */
function splitText<Row>(rows: Row[], value: (row: Row) => string): RawBuilder<unknown> {
  return sql`string_to_array(${rows.map(value).join(separator)}, ${separator})`;
}

// As bytes: the texts are slices of the body and need no decoding on their way to PostgreSQL.
function joinTexts(versions: NewVersion[]): Buffer {
  const between = Buffer.from(separator);
  return Buffer.concat(versions.flatMap((one, index) => (index === 0 ? [one.text] : [between, one.text])));
}
