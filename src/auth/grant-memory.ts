import { LRUCache } from 'lru-cache';
import type { CollectionRow } from '../db/collections.ts';
import { findGrantedCollection, type GrantedCollection } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import type { Watch } from '../db/watch.ts';

// Of all partners and collections together; about 500 bytes each.
const grantsMax = 50_000;

/** A collection with a grant, and the generation of the watch in which it was read: revisions of others say nothing of it. */
export type KnownCollection = GrantedCollection & { generation: number };

interface Remembered {
  /** the row that `granted` was made of */
  row: CollectionRow;
  granted: KnownCollection;
}

/**
 * @returns what finds a collection by id or alias, and a partner's grant in it, no staler than the watch: undefined where
 * there is none for the partner; a promise only where it has to ask. What a grant says is true of the collection up to the date_added_last that comes with it.
 */
export function rememberGrants(
  db: Db,
  watch: Watch,
): (partnerId: string, idOrAlias: string) => Promise<KnownCollection | undefined> | KnownCollection {
  const remembered = new LRUCache<string, Remembered>({ max: grantsMax });
  return (partnerId, idOrAlias) => {
    const key = `${partnerId} ${idOrAlias}`;
    const refreshing = watch.fresh();
    const known = refreshing ? undefined : recall(remembered.get(key), idOrAlias);
    return known ?? find(partnerId, idOrAlias, key, refreshing);
  };

  async function find(
    partnerId: string,
    idOrAlias: string,
    key: string,
    refreshing: Promise<void> | undefined,
  ): Promise<KnownCollection | undefined> {
    await refreshing;
    const known = recall(remembered.get(key), idOrAlias);
    if (known) return known;
    const { generation } = watch;
    const row = await findGrantedCollection(db, partnerId, idOrAlias);
    if (!row) {
      remembered.delete(key);
      return undefined;
    }
    watch.learn(row, generation);
    const granted = { ...row, generation };
    remembered.set(key, { row, granted });
    return granted;
  }

  function recall(entry: Remembered | undefined, idOrAlias: string): KnownCollection | undefined {
    if (entry?.granted.generation !== watch.generation) return undefined;
    const row = watch.collection(entry.row.id);
    if (!row || row.grants_revision !== entry.row.grants_revision) return undefined;
    if (row.alias !== idOrAlias && row.id !== idOrAlias) return undefined;
    if (row !== entry.row) {
      // Objects came or went; the rights are those from before.
      entry.granted = { ...row, grant: entry.granted.grant, generation: entry.granted.generation };
      entry.row = row;
    }
    return entry.granted;
  }
}
