import { sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isVersionOf, type VersionSelector } from './conditions.ts';
import { ceilingFor, selectMatching, selectOthers } from './matching.ts';
import type { Db } from './pool.ts';

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
  const levels = bounds.levels.filter(level => level > above);
  const matching = selectOthers(collectionId, reader, { ...bounds, levels }, sql`object_id, version`);
  if (!matching) return [];
  const { rows } = await sql<PlacedVersion>`${matching}`.execute(db);
  return rows;
}
