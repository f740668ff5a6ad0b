import { type QueryCreator, sql } from 'kysely';
import type { Policy } from '../stix/catalogue.ts';
import { type TlpLevel, tlpLevels } from '../stix/tlp.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { isUuid } from '../taxii/uuid.ts';
import type { Db, Tx } from './pool.ts';
import type { Database } from './schema.ts';

export interface ApiRootRow {
  slug: string;
  title: string;
  description: string | null;
}

export interface CollectionRow {
  id: string;
  alias: string;
  api_root: string;
  title: string;
  description: string | null;
  /** how strictly the objects that are pushed to it are judged */
  validation: Policy;
  /** consumers must not learn who sends */
  anonymous: boolean;
  /** the level of objects that carry no TLP marking */
  tlp_default: TlpLevel;
  /** objects above it are refused */
  tlp_max: TlpLevel;
  /** a bit for each level that any object was ever added at */
  tlp_held: number;
  /** of the newest object ever added; before the first one, when the collection was made */
  date_added_last: TaxiiTimestamp;
  created_at: TaxiiTimestamp;
  /** rises with every change of this row, and so whenever objects are added or removed */
  revision: string;
  /** the revision at which something that was there already became different */
  past_revision: string;
  /** the revision at which anybody's rights in it changed */
  grants_revision: string;
}

/** The slug of the API root that is there from the start. */
export const defaultApiRoot = 'hub';

const apiRootColumns = ['slug', 'title', 'description'] as const;
/** What a CollectionRow is read from. */
export const collectionColumns = [
  'id',
  'alias',
  'api_root',
  'title',
  'description',
  'validation',
  'anonymous',
  'tlp_default',
  'tlp_max',
  'tlp_held',
  'date_added_last',
  'created_at',
  'revision',
  'past_revision',
  'grants_revision',
] as const;

/** What an alias, and the slug of an API root or a partner, must look like. Nothing else is ever asked for. */
export function isSlug(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && text.length <= 64;
}

/** @returns undefined where an API root of that slug is there already */
export async function insertApiRoot(
  db: Db,
  root: { slug: string; title: string; description: string | null },
): Promise<ApiRootRow | undefined> {
  return db
    .insertInto('api_root')
    .values(root)
    .onConflict(conflict => conflict.column('slug').doNothing())
    .returning(apiRootColumns)
    .executeTakeFirst();
}

/** All API roots, the default one (`hub`) first, then by slug. */
export async function listApiRoots(db: Db): Promise<ApiRootRow[]> {
  return db
    .selectFrom('api_root')
    .select(apiRootColumns)
    .orderBy(sql`slug <> ${defaultApiRoot}`)
    .orderBy('slug')
    .execute();
}

/** @returns undefined where there is none of that slug, or the text is no slug */
export async function findApiRoot(db: Db, slug: string): Promise<ApiRootRow | undefined> {
  if (!isSlug(slug)) return undefined;
  return db.selectFrom('api_root').select(apiRootColumns).where('slug', '=', slug).executeTakeFirst();
}

type Kept = 'date_added_last' | 'created_at' | 'tlp_held' | 'revision' | 'past_revision' | 'grants_revision';
type Defaulted = 'validation' | 'anonymous' | 'tlp_default' | 'tlp_max';
/** A collection that is to be added. */
export type NewCollection = Omit<CollectionRow, Kept | Defaulted> & Partial<Pick<CollectionRow, Defaulted>>;

/** @returns undefined where its id or alias is taken */
export async function insertCollection(db: Db, collection: NewCollection): Promise<CollectionRow | undefined> {
  return db
    .insertInto('collection')
    .values(collection)
    .onConflict(conflict => conflict.doNothing())
    .returning(collectionColumns)
    .executeTakeFirst();
}

/** All collections by id, which TAXII's interoperability tests ask for; of one API root where given. */
export async function listCollections(db: Db, apiRoot?: string): Promise<CollectionRow[]> {
  return db
    .selectFrom('collection')
    .select(collectionColumns)
    .$if(apiRoot !== undefined, query => query.where('api_root', '=', apiRoot as string))
    .orderBy('id')
    .execute();
}

/** Finds a collection by its id or its alias (TAXII 2.1 §5.2.1 allows both in URLs). */
export async function findCollection(db: Db, idOrAlias: string): Promise<CollectionRow | undefined> {
  if (!isUuid(idOrAlias) && !isSlug(idOrAlias)) return undefined;
  return db
    .selectFrom('collection')
    .select(collectionColumns)
    .where(isUuid(idOrAlias) ? 'id' : 'alias', '=', idOrAlias)
    .executeTakeFirst();
}

/**
 * Takes the collection's lock, under which dates are given and objects are added or removed, until the transaction
 * ends. NO KEY UPDATE lets readers and foreign keys pass.
 * @returns the row as it is under the lock, and the database's clock
 */
export async function lockCollection(tx: Tx, collectionId: string): Promise<CollectionRow & { now: TaxiiTimestamp }> {
  return tx
    .selectFrom('collection')
    .select([...collectionColumns, sql<TaxiiTimestamp>`clock_timestamp()`.as('now')])
    .where('id', '=', collectionId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/**
 * Moves the collection's clock, and notes the levels of what was added. The caller holds its lock.
 * @param tx may execute other statements along with it (together.ts)
 * @param isPastChanged whether versions that were there already became different
 * @returns the row as this transaction leaves it
 */
export async function setDateAddedLast(
  tx: QueryCreator<Database>,
  collectionId: string,
  dateAdded: TaxiiTimestamp,
  { levels = [], isPastChanged = false }: { levels?: TlpLevel[]; isPastChanged?: boolean } = {},
): Promise<CollectionRow> {
  const held = levels.reduce((bits, level) => bits | (1 << level), 0);
  return tx
    .updateTable('collection')
    .set({ date_added_last: dateAdded, tlp_held: sql`tlp_held | ${held}::smallint` })
    .$if(isPastChanged, query => query.set({ past_revision: nextRevision }))
    .where('id', '=', collectionId)
    .returning(collectionColumns)
    .executeTakeFirstOrThrow();
}

/** Notes that versions which were there already became different, or are gone. The caller holds the collection's lock. */
export async function setPastChanged(tx: Tx, collectionId: string): Promise<CollectionRow> {
  return tx
    .updateTable('collection')
    .set({ past_revision: nextRevision })
    .where('id', '=', collectionId)
    .returning(collectionColumns)
    .executeTakeFirstOrThrow();
}

// The one that the trigger gives the row with this change.
const nextRevision = sql<string>`revision + 1`;

/** The levels that the collection holds, or has held. */
export function levelsOf({ tlp_held }: Pick<CollectionRow, 'tlp_held'>): TlpLevel[] {
  return tlpLevels.filter(level => tlp_held & (1 << level));
}
