import { LRUCache } from 'lru-cache';
import type { CollectionRow } from '../db/collections.ts';
import { findGrantedCollection, type GrantedCollection } from '../db/grants.ts';
import type { Db } from '../db/pool.ts';
import type { Watch } from '../db/watch.ts';

// Of all partners and collections together; about 500 bytes each.
const grantsMax = 50_000;

interface Remembered {
  /** the row that `granted` was made of */
  row: CollectionRow;
  granted: GrantedCollection;
  /** of the watch when it was read: revisions of another one are not to be compared */
  generation: number;
}

/**
 * @returns what finds a collection by id or alias, and a partner's grant in it, no staler than the watch: undefined where
 * there is none for the partner; a promise only where it has to ask. What a grant says is true of the collection up to the
 * date_added_last that comes with it.
 */
export function rememberGrants(
  db: Db,
  watch: Watch,
): (partnerId: string, idOrAlias: string) => Promise<GrantedCollection | undefined> | GrantedCollection {
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
  ): Promise<GrantedCollection | undefined> {
    await refreshing;
    const known = recall(remembered.get(key), idOrAlias);
    if (known) return known;
    const { generation } = watch;
    const granted = await findGrantedCollection(db, partnerId, idOrAlias);
    if (!granted) {
      remembered.delete(key);
      return undefined;
    }
    watch.learn(granted, generation);
    remembered.set(key, { row: granted, granted, generation });
    return granted;
  }

  function recall(entry: Remembered | undefined, idOrAlias: string): GrantedCollection | undefined {
    if (entry?.generation !== watch.generation) return undefined;
    const row = watch.collection(entry.row.id);
    if (!row || row.grants_revision !== entry.row.grants_revision) return undefined;
    if (row.alias !== idOrAlias && row.id !== idOrAlias) return undefined;
    if (row !== entry.row) {
      // Objects came or went; the rights are those from before.
      entry.granted = { ...row, grant: entry.granted.grant };
      entry.row = row;
    }
    return entry.granted;
  }
}
