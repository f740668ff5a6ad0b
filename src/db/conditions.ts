import { type RawBuilder, sql } from 'kysely';

/** Which versions of an object are meant (`match[version]`, TAXII 2.1 §3.4.1). */
export interface VersionSelector {
  all: boolean;
  first: boolean;
  last: boolean;
  /** as `stix/timestamp.ts: toInstant` writes them */
  instants: string[];
}

/** Conditions that follow others: `and …`, or nothing. */
export function all(conditions: RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length > 0 ? sql`and ${sql.join(conditions, sql` and `)}` : sql``;
}

/**
 * The stored versions of an object, as a range of object_version_key. Written as a comparison of rows, which no other
 * index can serve: for a collection that is newer than its statistics the planner takes all indexes for equally good,
 * and may read the whole collection for each id. Versions begin with a digit, so that they lie between '' and '~'.
 */
export function isVersionOf(collectionId: string, objectId: RawBuilder<unknown>): RawBuilder<unknown> {
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
export function matchVersions(versions: VersionSelector, ceiling: RawBuilder<unknown>): RawBuilder<unknown>[] {
  if (versions.all) return [];
  const any = [
    ...(versions.last ? [sql`(last_below > tlp and last_below > ${ceiling})`] : []),
    ...(versions.first ? [sql`first_below > ${ceiling}`] : []),
    ...(versions.instants.length > 0 ? [sql`version = any(${versions.instants})`] : []),
  ];
  return [sql`(${sql.join(any, sql` or `)})`];
}
