import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

export interface HubRow {
  id: string;
  cursorKey: Buffer;
  createdAt: TaxiiTimestamp;
}

/** What this hub is. undefined before the first start. */
export async function findHub(db: Db): Promise<HubRow | undefined> {
  const row = await db.selectFrom('hub').select(['id', 'cursor_key', 'created_at']).executeTakeFirst();
  return row && { id: row.id, cursorKey: row.cursor_key, createdAt: row.created_at };
}

/**
 * Makes the hub's row, unless another node was faster: the row's lock lets one node in.
 * @returns whether this call made it
 */
export async function insertHub(tx: Tx, hub: Omit<HubRow, 'createdAt'>): Promise<boolean> {
  const inserted = await tx
    .insertInto('hub')
    .values({ id: hub.id, cursor_key: hub.cursorKey })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows !== 0n;
}

/** Takes the hub's lock until the transaction ends: signing keys change one after the other. */
export async function lockHub(tx: Tx): Promise<void> {
  await tx.selectFrom('hub').select('id').forNoKeyUpdate().executeTakeFirstOrThrow();
}
