import { type RawBuilder, sql } from 'kysely';
import { type TlpLevel, tlpRed } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { splitBytes, splitText } from './columns.ts';
import { all, isVersionOf, matchVersions, type VersionSelector } from './conditions.ts';
import type { Tx } from './pool.ts';

/** What is stored of an object id: its first and last versions for each ceiling, and those that are being added again. */
export interface KnownVersion extends VersionEnds {
  object_id: string;
  added_by: string;
  /** of the stored text, in hexadecimal */
  sha256: string;
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
  addedBy: string;
  /** after the first one that is added with it */
  laterMicros: number;
  objectId: string;
  versionText: string;
  type: string;
  specVersion: string;
  text: Buffer;
}

// The lookups below go from what came to what is stored, one by one. OFFSET 0 keeps the planner from turning that round.

/** The stored versions that matter for adding these. Whoever reads them holds the collection's lock. */
export function knownVersions(
  collectionId: string,
  incoming: { objectId: string; version: string }[],
): RawBuilder<KnownVersion> {
  // Of an object with its versions, which are instants and have no comma. To group them is cheaper here than there.
  const objects = new Map<string, string>();
  for (const { objectId, version } of incoming) {
    const others = objects.get(objectId);
    objects.set(objectId, others === undefined ? version : `${others},${version}`);
  }
  const rows = [...objects];
  return sql`
    select known.* from unnest(
      ${splitText(rows, ([objectId]) => objectId)}, ${splitText(rows, ([, versions]) => versions)}
    ) as incoming(object_id, versions) cross join lateral (
      select object_id, version, added_by::text, tlp, first_below, last_below,
        encode(sha256(convert_to(object, 'UTF8')), 'hex') as sha256
      from object_version
      where ${isVersionOf(collectionId, sql`incoming.object_id`)}
        and (first_below > tlp or last_below > tlp or version = any(string_to_array(incoming.versions, ',')))
      offset 0
    ) known`;
}

/**
 * Who holds these ids, in another letter case too: it is the same id (RFC 9562 §4). Whoever holds one as it is written here,
 * in lower case, is for knownVersions to tell. Whoever reads them holds the collection's lock.
 * @returns the ids in lower case, with the partners that have added them
 */
export function knownSpellings(
  collectionId: string,
  objectIds: string[],
): RawBuilder<{ id: string; added_by: string }> {
  const ids = [...new Set(objectIds)];
  const mixed = ids.filter(id => id !== id.toLowerCase());
  const toLower = (id: string) => id.toLowerCase();
  // Most hubs hold no id that is not in lower case, and look no further than for one: hence EXISTS.
  return sql`
    select distinct one.id, added_by::text from (
      select id from unnest(${splitText(ids, toLower)}) as one(id)
      where exists (select from object_version where object_id <> lower(object_id))
    ) one cross join lateral (
      select collection_id, added_by from object_version
      where object_id <> lower(object_id) and lower(object_id) = one.id
      offset 0
    ) held
    where collection_id = ${collectionId}
    union all
    select one.id, added_by::text from unnest(${splitText(mixed, toLower)}) as one(id) cross join lateral (
      select added_by from object_version where ${isVersionOf(collectionId, sql`one.id`)} limit 1
    ) held`;
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

/** Adds versions. The caller holds the collection's lock, and has chosen dates later than every other in it. */
export async function addVersions(
  tx: Tx,
  collectionId: string,
  dateAddedFirst: TaxiiTimestamp,
  versions: NewVersion[],
): Promise<void> {
  await sql`
    insert into object_version (collection_id, date_added, added_by, tlp, first_below, last_below,
      object_id, version, version_text, type, spec_version, object)
    select ${collectionId}, ${dateAddedFirst}::timestamptz + later_micros::integer * interval '1 microsecond',
      added_by::bigint, tlp::smallint, first_below::smallint, last_below::smallint,
      object_id, version, version_text, type, spec_version, object
    from unnest(
      ${splitText(versions, one => String(one.laterMicros))}, ${splitText(versions, one => one.addedBy)},
      ${splitText(versions, one => String(one.tlp))}, ${splitText(versions, one => String(one.first_below))},
      ${splitText(versions, one => String(one.last_below))},
      ${splitText(versions, one => one.objectId)}, ${splitText(versions, one => one.version)}, ${splitText(versions, one => one.versionText)},
      ${splitText(versions, one => one.type)}, ${splitText(versions, one => one.specVersion)},
      ${splitBytes(versions, one => one.text)}
    ) as one(later_micros, added_by, tlp, first_below, last_below, object_id, version, version_text, type, spec_version,
      object)`.execute(tx);
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
