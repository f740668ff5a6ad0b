import { type RawBuilder, sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
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
  /** inclusive */
  until: TaxiiTimestamp;
  /** the levels that the collection holds up to then */
  levels: readonly TlpLevel[];
  objectsMax: number;
  /** the page ends before the object that would pass it, but holds at least one */
  bytesMax: number;
}

export interface ObjectRow {
  date_added: TaxiiTimestamp;
  /** its date in the collection, where it stands at another one for the reader; else null */
  stored_at: TaxiiTimestamp | null;
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

/** Who reads, and so what is there: versions up to its ceiling, and all that it sent itself. */
export interface Reader {
  partnerId: string;
  /** the highest level that its grant in the collection allows */
  ceiling: TlpLevel;
  /** the last date that versions were replayed to it under; null: none were */
  replayedLast: TaxiiTimestamp | null;
}

/** The operator, who sees everything. No partner has this id. */
export const everything: Reader = { partnerId: '0', ceiling: tlpRed, replayedLast: null };

/**
 * A page of objects in the order of date_added: one statement, a range of an index for each level, at most
 * objectsMax + 1 rows and about bytesMax bytes. Rows past bytesMax come without their text, which PostgreSQL then does
 * not even read.
 */
export async function pageObjects(
  db: Db,
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: PageBounds,
): Promise<Page<ObjectRow>> {
  const columns = sql`object, octet_length(object) as bytes, date_added as stored_at`;
  const matching = selectMatching(collectionId, reader, filter, bounds, columns);
  if (!matching) return { rows: [], more: false };
  const { rows } = await sql<Omit<ObjectRow, 'object'> & { object: string | null }>`
    select date_added, nullif(stored_at, date_added) as stored_at,
      case when bytes_to_here - bytes = 0 or bytes_to_here <= ${bounds.bytesMax} then object end as object
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
  reader: Reader,
  filter: ObjectFilter,
  bounds: PageBounds,
): Promise<Page<ManifestRow>> {
  const matching = selectMatching(collectionId, reader, filter, bounds, sql`object_id, version_text`);
  if (!matching) return { rows: [], more: false };
  const { rows } = await sql<ManifestRow>`${matching}`.execute(db);
  return { rows: rows.slice(0, bounds.objectsMax), more: rows.length > bounds.objectsMax };
}

/** Whether the collection holds any version of the object that the reader may see. */
export async function hasObject(db: Db, collectionId: string, reader: Reader, objectId: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from object_version
    where ${isVersionOf(collectionId, sql`${objectId}::text`)} and tlp <= ${ceilingFor(reader)} limit 1`.execute(db);
  return rows.length > 0;
}

/** A version, and where it stands in the collection. */
export interface PlacedVersion {
  date_added: TaxiiTimestamp;
  object_id: string;
  version: string;
}

/**
 * Versions of others that the reader may see, by the dates that they were added at; those above a level alone where that
 * is given.
 */
export async function listVersionsOfOthers(
  db: Db,
  collectionId: string,
  reader: Reader,
  { above = -1, ...bounds }: Omit<PageBounds, 'bytesMax'> & { above?: TlpLevel },
): Promise<PlacedVersion[]> {
  const filter = { versions: { all: true, first: false, last: false, instants: [] } };
  const scan = toScan(collectionId, reader, filter, bounds, sql`object_id, version`);
  const conditions = [sql`added_by <> ${reader.partnerId}`];
  const levels = bounds.levels.filter(level => level > above);
  const { rows } = await sql<PlacedVersion>`
    ${mergeParts(scan, selectLevels({ ...scan, conditions, levels }))}`.execute(db);
  return rows;
}

/** One row more than asked for tells whether there is more. undefined: there can be none */
function selectMatching(
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: PageBounds,
  columns: RawBuilder<unknown>,
): RawBuilder<unknown> | undefined {
  const scan = toScan(collectionId, reader, filter, bounds, columns);
  const { replayedLast } = reader;
  // What was replayed stands at its new date alone.
  const original = replayedLast === null ? scan : { ...scan, conditions: [...scan.conditions, isNotReplayed(reader)] };
  const parts = filter.ids
    ? [selectIds(original, filter.ids)]
    : [...(filter.types ? selectTypes(original, filter.types) : selectLevels(original)), ...selectOwn(original)];
  if (replayedLast !== null && replayedLast > bounds.after) parts.push(selectReplayed(scan));
  return parts.length > 0 ? mergeParts(scan, parts) : undefined;
}

function toScan(
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: Omit<PageBounds, 'bytesMax'>,
  columns: RawBuilder<unknown>,
): Scan {
  return {
    collectionId,
    reader,
    filter,
    after: sql`${bounds.after}::timestamptz`,
    until: sql`${bounds.until}::timestamptz`,
    limit: bounds.objectsMax + 1,
    levels: bounds.levels,
    columns,
    conditions: [
      ...matchVersions(filter.versions, ceilingFor(reader)),
      ...(filter.specVersions ? [sql`spec_version = any(${filter.specVersions})`] : []),
    ],
  };
}

interface Scan {
  collectionId: string;
  reader: Reader;
  filter: ObjectFilter;
  after: RawBuilder<unknown>;
  until: RawBuilder<unknown>;
  limit: number;
  levels: readonly TlpLevel[];
  columns: RawBuilder<unknown>;
  conditions: RawBuilder<unknown>[];
}

// Each part is in order and has a limit of its own, so that PostgreSQL merges them lazily: of each it reads what the page
// takes, and one row more.
function mergeParts({ limit }: Scan, parts: RawBuilder<unknown>[]): RawBuilder<unknown> {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return sql`${sql.join(parts, sql` union all `)} order by date_added limit ${limit}`;
}

/** A range for each level that the reader may see. */
function selectLevels(scan: Scan): RawBuilder<unknown>[] {
  const { collectionId, reader, after, until, columns, conditions, limit } = scan;
  return scan.levels
    .filter(level => level <= reader.ceiling)
    .map(
      level => sql`(
      select date_added, ${columns} from object_version
      where collection_id = ${collectionId} and tlp = ${level}::smallint
        and date_added > ${after} and date_added <= ${until} ${all(conditions)}
      order by date_added limit ${limit}
    )`,
    );
}

/** Its own versions above the ceiling, which the other parts leave out. */
function selectOwn(scan: Scan): RawBuilder<unknown>[] {
  const { collectionId, reader, filter, after, until, columns, conditions, limit } = scan;
  const ofTypes = filter.types ? [sql`type = any(${filter.types})`] : [];
  return scan.levels
    .filter(level => level > reader.ceiling)
    .map(
      level => sql`(
      select date_added, ${columns} from object_version
      where collection_id = ${collectionId} and added_by = ${reader.partnerId} and tlp = ${level}::smallint and tlp > 0
        and date_added > ${after} and date_added <= ${until} ${all([...ofTypes, ...conditions])}
      order by date_added limit ${limit}
    )`,
    );
}

/** For each level a range for each type; what is sorted of them is at most `limit` rows of each. */
function selectTypes(scan: Scan, types: string[]): RawBuilder<unknown>[] {
  const { collectionId, reader, after, until, columns, conditions, limit } = scan;
  return scan.levels
    .filter(level => level <= reader.ceiling)
    .map(
      level => sql`(
      select found.* from unnest(${types}::text[]) as wanted(type) cross join lateral (
        select date_added, ${columns} from object_version
        where (type, collection_id, tlp, date_added) > (wanted.type, ${collectionId}::uuid, ${level}::smallint, ${after})
          and (type, collection_id, tlp, date_added) <= (wanted.type, ${collectionId}::uuid, ${level}::smallint, ${until})
          ${all(conditions)}
        order by object_version.type, collection_id, tlp, date_added limit ${limit}
      ) found
      order by date_added limit ${limit}
    )`,
    );
}

/** The versions of some objects, whatever their level: each of them is looked up. */
function selectIds({ collectionId, reader, filter, after, until, columns, conditions, limit }: Scan, ids: string[]) {
  const ofTypes = filter.types ? [sql`type = any(${filter.types})`] : [];
  return sql`(
    select date_added, ${columns} from unnest(${ids}::text[]) as wanted(id) cross join lateral (
      select * from object_version
      where ${isVersionOf(collectionId, sql`wanted.id`)} and date_added > ${after} and date_added <= ${until}
        and tlp <= ${ceilingFor(reader)} ${all([...ofTypes, ...conditions])}
      offset 0
    ) found
    order by date_added limit ${limit}
  )`;
}

/** What comes again for this reader alone, and is still there for it. */
function selectReplayed(scan: Scan): RawBuilder<unknown> {
  const { collectionId, reader, filter, after, until, columns, conditions, limit } = scan;
  const ofIds = filter.ids ? [sql`object_version.object_id = any(${filter.ids})`] : [];
  const ofTypes = filter.types ? [sql`type = any(${filter.types})`] : [];
  return sql`(
    select replayed_at, ${columns} from (
      select date_added as replayed_at, object_id as replayed_id, version as replayed_version from replay
      where partner_id = ${reader.partnerId} and collection_id = ${collectionId}
        and date_added > ${after} and date_added <= ${until}
    ) replayed cross join lateral (
      select * from object_version
      where ${isVersionOf(collectionId, sql`replayed_id`)} and version = replayed_version
        and tlp <= ${ceilingFor(reader)} ${all([...ofIds, ...ofTypes, ...conditions])}
      offset 0
    ) found
    order by replayed_at limit ${limit}
  )`;
}

function isNotReplayed({ partnerId }: Reader): RawBuilder<unknown> {
  return sql`not exists (
    select from replay
    where replay.object_id = object_version.object_id and replay.collection_id = object_version.collection_id
      and replay.version = object_version.version and replay.partner_id = ${partnerId}
  )`;
}

/** The level up to which the reader sees a row: what it sent itself it sees whole. */
function ceilingFor({ partnerId, ceiling }: Reader): RawBuilder<unknown> {
  if (ceiling === tlpRed) return sql`${tlpRed}::smallint`;
  return sql`case when added_by = ${partnerId} then ${tlpRed}::smallint else ${ceiling}::smallint end`;
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
  return isKeptOf('object_version', collectionId, objectId);
}

/** The same for versions that are there or have been. */
export function isKeptOf(
  table: 'object_version' | 'deleted_version',
  collectionId: string,
  objectId: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const id = sql.ref(`${table}.object_id`);
  return sql`${id} = ${objectId}
    and (${id}, collection_id, version) >= (${objectId}, ${collectionId}::uuid, '')
    and (${id}, collection_id, version) <= (${objectId}, ${collectionId}::uuid, '~')`;
}

/** The first and the last version are those that a reader with this ceiling sees as such (migrations/0005_tlp.sql). */
function matchVersions(versions: VersionSelector, ceiling: RawBuilder<unknown>): RawBuilder<unknown>[] {
  if (versions.all) return [];
  const any = [
    ...(versions.last ? [sql`(last_below > tlp and last_below > ${ceiling})`] : []),
    ...(versions.first ? [sql`first_below > ${ceiling}`] : []),
    ...(versions.instants.length > 0 ? [sql`version = any(${versions.instants})`] : []),
  ];
  return [sql`(${sql.join(any, sql` or `)})`];
}

/** What is stored of an object id: its first and last versions for each ceiling, and those that are being added again. */
export interface KnownVersion extends VersionEnds {
  object_id: string;
  added_by: string;
  /** of the stored text */
  sha256: Buffer;
}

/** A version among the others of its object. */
export interface VersionEnds {
  version: string;
  tlp: TlpLevel;
  /** the lowest level of the earlier versions; 5 where there are none */
  first_below: number;
  /** the lowest level of the later versions; 5 where there are none */
  last_below: number;
}

export interface NewVersion extends VersionEnds {
  objectId: string;
  versionText: string;
  type: string;
  specVersion: string;
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
      select object_id, version, added_by, tlp, first_below, last_below, sha256(convert_to(object, 'UTF8')) as sha256
      from object_version
      where ${isVersionOf(collectionId, sql`incoming.object_id`)}
        and (first_below > tlp or last_below > tlp or version = any(incoming.versions))
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
    insert into object_version (collection_id, date_added, added_by, tlp, first_below, last_below,
      object_id, version, version_text, type, spec_version, object)
    select ${collectionId}, ${dateAddedFirst}::timestamptz + (n - 1) * interval '1 microsecond', ${addedBy},
      tlp::smallint, first_below::smallint, last_below::smallint,
      object_id, version, version_text, type, spec_version, object
    from unnest(
      ${splitText(versions, one => String(one.tlp))}, ${splitText(versions, one => String(one.first_below))},
      ${splitText(versions, one => String(one.last_below))},
      ${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)}, ${splitText(versions, one => one.versionText)},
      ${splitText(versions, one => one.type)}, ${splitText(versions, one => one.specVersion)},
      string_to_array(${joinTexts(versions)}, ${separator})
    ) with ordinality
      as one(tlp, first_below, last_below, object_id, version, version_text, type, spec_version, object, n)`.execute(
    tx,
  );
}

/** Writes what has become of versions that are no longer the first or the last of their object for every ceiling. */
export async function updateEnds(
  tx: Tx,
  collectionId: string,
  versions: (VersionEnds & { objectId: string })[],
): Promise<void> {
  if (versions.length === 0) return;
  await sql`
    update object_version set first_below = changed.first_below::smallint, last_below = changed.last_below::smallint
    from (
      select stored.tid, one.first_below, one.last_below
      from unnest(
        ${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)},
        ${splitText(versions, one => String(one.first_below))}, ${splitText(versions, one => String(one.last_below))}
      ) as one(object_id, version, first_below, last_below) cross join lateral (
        select ctid as tid from object_version
        where ${isVersionOf(collectionId, sql`one.object_id`)} and version = one.version
        offset 0
      ) stored
    ) changed
    where object_version.ctid = changed.tid`.execute(tx);
}

/**
 * Removes versions of an object that the partner owns, and finds the first and last of what is left again; of each removed
 * one a row without its text is kept. The caller holds the collection's lock.
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
    ...matchVersions(filter.versions, sql`${tlpRed}::smallint`),
    ...(filter.specVersions ? [sql`spec_version = any(${filter.specVersions})`] : []),
  ];
  const { rows } = await sql<{ versions: number; bytes: number }>`
    with deleted as (
      delete from object_version where ${isOfObject} ${all(conditions)} returning *
    ), kept as (
      insert into deleted_version (collection_id, date_added, added_by, object_id, version, version_text)
      select collection_id, date_added, added_by, object_id, version, version_text from deleted
    )
    select count(*)::integer as versions, coalesce(sum(octet_length(object)), 0)::float8 as bytes
    from deleted`.execute(tx);
  await sql`
    update object_version
    set first_below = coalesce(lowest_before, 5), last_below = coalesce(lowest_after, 5)
    from (
      select ctid as tid,
        min(tlp) over (order by version rows between unbounded preceding and 1 preceding) as lowest_before,
        min(tlp) over (order by version rows between 1 following and unbounded following) as lowest_after
      from object_version where ${isOfObject}
    ) kept
    where object_version.ctid = tid
      and (first_below, last_below) <> (coalesce(lowest_before, 5), coalesce(lowest_after, 5))`.execute(tx);
  // A version that comes once more later is to have its own place then.
  await sql`
    delete from replay where object_id = ${objectId} and collection_id = ${collectionId} and version <> all(array(
      select version from object_version where ${isOfObject}
    ))`.execute(tx);
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
