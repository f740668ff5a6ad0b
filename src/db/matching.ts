import { type RawBuilder, sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
import { all, isVersionOf, matchVersions, type VersionSelector } from './conditions.ts';
import type { ObjectFilter, PageBounds, Reader } from './objects.ts';

type Bounds = Omit<PageBounds, 'bytesMax'>;

/** What all parts of a page have in common. */
interface Scan {
  collectionId: string;
  reader: Reader;
  filter: ObjectFilter;
  after: RawBuilder<unknown>;
  until: RawBuilder<unknown>;
  limit: number;
  levels: readonly TlpLevel[];
  columns: RawBuilder<unknown>;
  /** what holds of every version of the page, wherever it is found */
  conditions: RawBuilder<unknown>[];
}

// Every object is STIX 2.1 (stix/validate.ts).
const specVersion = '2.1';

/**
 * The versions that a page is cut from, in the order of date_added: `date_added` and the columns, at most objectsMax + 1
 * rows, of which the last one tells whether there is more. They are merged from ranges of indexes that hold what is asked
 * for and hardly anything else (migrations/0012_ranges.sql), so that a page costs what it holds, however large the
 * collection is.
 * @returns undefined where there can be none
 */
export function selectMatching(
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: Bounds,
  columns: RawBuilder<unknown>,
): RawBuilder<unknown> | undefined {
  if (filter.specVersions && !filter.specVersions.includes(specVersion)) return undefined;
  const scan = toScan(collectionId, reader, filter, bounds, columns);
  const { replayedLast } = reader;
  // What was replayed stands at its new date alone.
  const original = replayedLast === null ? scan : { ...scan, conditions: [isNotReplayed(reader)] };
  const parts = filter.ids ? [selectIds(original, filter.ids)] : selectPlaces(original);
  if (replayedLast !== null && replayedLast > bounds.after) parts.push(selectReplayed(scan));
  const { all: isAll, first, last, instants } = filter.versions;
  // One that is named may be the first or the last one too.
  const isTwice = !filter.ids && !isAll && (first || last) && instants.length > 0;
  return mergeParts(scan, parts, { isTwice });
}

/** All versions of others that the reader may see, at the dates that they were added at. */
export function selectOthers(
  collectionId: string,
  reader: Reader,
  bounds: Bounds,
  columns: RawBuilder<unknown>,
): RawBuilder<unknown> | undefined {
  const filter = { versions: { all: true, first: false, last: false, instants: [] } };
  const scan = toScan(collectionId, reader, filter, bounds, columns);
  const conditions = [sql`added_by <> ${reader.partnerId}`];
  return mergeParts(scan, selectSeen({ ...scan, conditions }));
}

function toScan(
  collectionId: string,
  reader: Reader,
  filter: ObjectFilter,
  bounds: Bounds,
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
    conditions: [],
  };
}

// Each part is in order and has a limit of its own, so that PostgreSQL merges them lazily: of each it reads what the page
// takes, and one row more.
function mergeParts(
  { limit }: Scan,
  parts: RawBuilder<unknown>[],
  { isTwice = false } = {},
): RawBuilder<unknown> | undefined {
  const [only] = parts;
  if (!only || parts.length === 1) return only;
  const merged = sql.join(parts, sql` union all `);
  if (!isTwice) return sql`${merged} order by date_added limit ${limit}`;
  return sql`select distinct on (date_added) * from (${merged}) part order by date_added limit ${limit}`;
}

/** Versions by where they stand in the collection. */
function selectPlaces(scan: Scan): RawBuilder<unknown>[] {
  const { versions } = scan.filter;
  const named = versions.instants.length > 0 ? selectNamed(scan, versions.instants) : [];
  return [...selectSeen(scan), ...selectOwn(scan), ...named];
}

/** Versions of one level. */
interface Range {
  tlp: TlpLevel;
  /** as the function ends_of has them; 0 where they do not matter */
  ends: number;
  /** the type, the partner or the instant, by the index */
  subject: string;
}

/** The indexes of ranges (migrations/0012_ranges.sql), by what a range is of beside its collection and level. */
type RangeIndex = 'all' | 'type' | 'own' | 'version';

/** What the reader may see of everybody's: a range for each level, for each of the ends and each of the types. */
function selectSeen(scan: Scan): RawBuilder<unknown>[] {
  const { filter, reader } = scan;
  const levels = scan.levels.filter(level => level <= reader.ceiling);
  const ranges = toRanges(levels, endsOf(filter.versions), filter.types ?? ['']);
  return selectRanges(scan, filter.types ? 'type' : 'all', ranges, matchEnds(scan));
}

/** Its own versions above the ceiling, which the other parts leave out. */
function selectOwn(scan: Scan): RawBuilder<unknown>[] {
  const { filter, reader } = scan;
  const levels = scan.levels.filter(level => level > reader.ceiling);
  const ranges = toRanges(levels, endsOf(filter.versions), [reader.partnerId]);
  return selectRanges(scan, 'own', ranges, [sql`tlp > 0`, ...matchTypes(filter), ...matchEnds(scan)]);
}

/** Versions by their instants: few objects share one, so that sorting them is little. */
function selectNamed(scan: Scan, instants: string[]): RawBuilder<unknown>[] {
  const isSeen = sql`tlp <= ${ceilingFor(scan.reader)}`;
  return selectRanges(scan, 'version', toRanges(scan.levels, [0], instants), [isSeen, ...matchTypes(scan.filter)]);
}

/** Which ends versions must have to be chosen, as the function ends_of has them; those first that most versions have. */
function endsOf({ all, first, last }: VersionSelector): number[] {
  return [3, 1, 2, 0].filter(ends => all || (last && (ends & 1) > 0) || (first && (ends & 2) > 0));
}

// Whether the ends are those that this reader sees.
function matchEnds({ filter, reader }: Scan): RawBuilder<unknown>[] {
  return matchVersions({ ...filter.versions, instants: [] }, ceilingFor(reader));
}

function matchTypes({ types }: ObjectFilter): RawBuilder<unknown>[] {
  return types ? [sql`type = any(${types})`] : [];
}

function toRanges(levels: readonly TlpLevel[], ends: number[], subjects: string[]): Range[] {
  return subjects.flatMap(subject => levels.flatMap(tlp => ends.map(one => ({ tlp, ends: one, subject }))));
}

// Planning takes its time for each part of a statement. Beyond this, what is sorted is a page of each range.
const partsMax = 64;

function selectRanges(
  scan: Scan,
  index: RangeIndex,
  ranges: Range[],
  conditions: RawBuilder<unknown>[],
): RawBuilder<unknown>[] {
  if (ranges.length <= partsMax) {
    return ranges.map(({ tlp, ends, subject }) =>
      selectRange(scan, index, { tlp: sql`${tlp}`, ends: sql`${ends}`, subject: sql`${subject}` }, conditions),
    );
  }
  const wanted = { tlp: sql`wanted.tlp`, ends: sql`wanted.ends`, subject: sql`wanted.subject` };
  return [
    sql`(
      select found.* from unnest(
        ${ranges.map(({ tlp }) => tlp)}::smallint[], ${ranges.map(({ ends }) => ends)}::integer[],
        ${ranges.map(({ subject }) => subject)}::text[]
      ) as wanted(tlp, ends, subject) cross join lateral ${selectRange(scan, index, wanted, conditions)} found
      order by date_added limit ${scan.limit}
    )`,
  ];
}

function selectRange(
  { collectionId, after, until, columns, conditions: others, limit }: Scan,
  index: RangeIndex,
  range: Record<keyof Range, RawBuilder<unknown>>,
  conditions: RawBuilder<unknown>[],
): RawBuilder<unknown> {
  const asIndexed = (date: RawBuilder<unknown>) => (index === 'version' ? sql`(${date} at time zone 'UTC')` : date);
  const date = asIndexed(sql`date_added`);
  return sql`(
    select date_added, ${columns} from object_version
    where ${isOfRange(index, collectionId, range)} and ${date} > ${asIndexed(after)} and ${date} <= ${asIndexed(until)}
      ${all([...conditions, ...others])}
    order by ${date} limit ${limit}
  )`;
}

function isOfRange(
  index: RangeIndex,
  collectionId: string,
  { tlp, ends, subject }: Record<keyof Range, RawBuilder<unknown>>,
): RawBuilder<unknown> {
  if (index === 'version') {
    return sql`version = ${subject}::text and collection_id = ${collectionId} and tlp = ${tlp}::smallint`;
  }
  const column = { all: sql`''`, type: sql`type`, own: sql`added_by::text` }[index];
  // The key alone finds them. The rest is for two that have the same hash, in a CASE that no other index can serve.
  return sql`range_key(collection_id, tlp, ends_of(tlp, first_below, last_below), ${column})
      = range_key(${collectionId}::uuid, ${tlp}::smallint, ${ends}::integer, ${subject}::text)
    and case when collection_id = ${collectionId} and tlp = ${tlp}::smallint
      and ends_of(tlp, first_below, last_below) = ${ends}::integer and ${column} = ${subject}::text then true end`;
}

/** The versions of some objects, whatever their level: each of them is looked up. */
function selectIds(scan: Scan, ids: string[]): RawBuilder<unknown> {
  const { collectionId, reader, filter, after, until, columns, conditions, limit } = scan;
  return sql`(
    select date_added, ${columns} from unnest(${ids}::text[]) as wanted(id) cross join lateral (
      select * from object_version
      where ${isVersionOf(collectionId, sql`wanted.id`)} and date_added > ${after} and date_added <= ${until}
        and tlp <= ${ceilingFor(reader)}
        ${all([...matchTypes(filter), ...matchVersions(filter.versions, ceilingFor(reader)), ...conditions])}
      offset 0
    ) found
    order by date_added limit ${limit}
  )`;
}

/** What comes again for this reader alone, and is still there for it. */
function selectReplayed(scan: Scan): RawBuilder<unknown> {
  const { collectionId, reader, filter, after, until, columns, limit } = scan;
  const ofIds = filter.ids ? [sql`object_version.object_id = any(${filter.ids})`] : [];
  const conditions = [...ofIds, ...matchTypes(filter), ...matchVersions(filter.versions, ceilingFor(reader))];
  return sql`(
    select replayed_at, ${columns} from (
      select date_added as replayed_at, object_id as replayed_id, version as replayed_version from replay
      where partner_id = ${reader.partnerId} and collection_id = ${collectionId}
        and date_added > ${after} and date_added <= ${until}
    ) replayed cross join lateral (
      select * from object_version
      where ${isVersionOf(collectionId, sql`replayed_id`)} and version = replayed_version
        and tlp <= ${ceilingFor(reader)} ${all(conditions)}
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
export function ceilingFor({ partnerId, ceiling }: Reader): RawBuilder<unknown> {
  if (ceiling === tlpRed) return sql`${tlpRed}::smallint`;
  return sql`case when added_by = ${partnerId} then ${tlpRed}::smallint else ${ceiling}::smallint end`;
}
