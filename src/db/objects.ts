import { type RawBuilder, sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { all, isVersionOf, matchVersions, type VersionSelector } from './conditions.ts';
import type { Db } from './pool.ts';
import { type DatedTexts, readTexts } from './raw-rows.ts';

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

export interface ManifestRow {
  date_added: TaxiiTimestamp;
  object_id: string;
  version_text: string;
}

/** Where a page begins and ends. */
export interface PageEnds {
  /** date_added of its first and its last row; undefined: it has none */
  dateFirst: TaxiiTimestamp | undefined;
  dateLast: TaxiiTimestamp | undefined;
  /** whether matching versions follow the last row */
  more: boolean;
}

export interface Page<Row> extends PageEnds {
  rows: Row[];
}

/** Objects as they came, and the dates in the collection of what there is, whatever dates it stands at for the reader. */
export interface ObjectPage extends DatedTexts {
  /** the envelope that it was last sent in, and its head */
  envelope?: { head: string; bytes: Buffer };
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
 * objectsMax + 1 rows, of which no more than bytesMax bytes are read.
 * @param separator what to put between the objects
 */
export async function pageObjects(
  db: Db,
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: PageBounds,
  separator = ',',
): Promise<ObjectPage> {
  const matching = selectMatching(collectionId, reader, filter, bounds, sql`date_added as stored_at, object`);
  if (!matching) return { pieces: [], count: 0, bytes: 0, dates: [], ...noEnds };
  const { objectsMax: rowsMax, bytesMax } = bounds;
  return readTexts(db, matching, { rowsMax, bytesMax, separator, isPlanKept: isPoll(reader, filter, bounds) });
}

/** What most requests ask for: ranges of levels and nothing else, read by the same plan whatever the values are. */
function isPoll(
  { ceiling, replayedLast }: Reader,
  { versions, ...match }: ObjectFilter,
  { levels }: PageBounds,
): boolean {
  const isOfLevels = replayedLast === null && levels.every(level => level <= ceiling);
  return isOfLevels && versions.instants.length === 0 && Object.keys(match).length === 0;
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
  if (!matching) return { rows: [], ...noEnds };
  const { rows } = await sql<ManifestRow>`${matching}`.execute(db);
  return toPage(rows, bounds.objectsMax);
}

const noEnds: PageEnds = { dateFirst: undefined, dateLast: undefined, more: false };

/** @param found one row more than rowsMax tells whether there is more */
export function toPage<Row extends { date_added: TaxiiTimestamp }>(found: Row[], rowsMax: number): Page<Row> {
  const rows = found.slice(0, rowsMax);
  return {
    rows,
    dateFirst: rows[0]?.date_added,
    dateLast: rows.at(-1)?.date_added,
    more: found.length > rowsMax,
  };
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
