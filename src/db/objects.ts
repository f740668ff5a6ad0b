import { sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isVersionOf, type VersionSelector } from './conditions.ts';
import { ceilingFor, selectMatching, selectOthers } from './matching.ts';
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
  const levels = bounds.levels.filter(level => level > above);
  const matching = selectOthers(collectionId, reader, { ...bounds, levels }, sql`object_id, version`);
  if (!matching) return [];
  const { rows } = await sql<PlacedVersion>`${matching}`.execute(db);
  return rows;
}
