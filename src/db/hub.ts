import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

export interface HubRow {
  id: string;
  cursorKey: Buffer;
  createdAt: TaxiiTimestamp;
}

export interface SigningKeyRow {
  kid: string;
  private_jwk: Record<string, string>;
}

/** What this hub is. undefined before the first start. */
export async function findHub(db: Db): Promise<HubRow | undefined> {
  const row = await db.selectFrom('hub').select(['id', 'cursor_key', 'created_at']).executeTakeFirst();
  return row && { id: row.id, cursorKey: row.cursor_key, createdAt: row.created_at };
}

/**
 * Makes the hub's row and its first signing key, unless another node was faster: the row's lock lets one node in.
 * @returns whether this call made them
 */
export async function insertHub(tx: Tx, hub: Omit<HubRow, 'createdAt'>, key: SigningKeyRow): Promise<boolean> {
  const inserted = await tx
    .insertInto('hub')
    .values({ id: hub.id, cursor_key: hub.cursorKey })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 0n) return false;
  await tx
    .insertInto('signing_key')
    .values({ kid: key.kid, private_jwk: JSON.stringify(key.private_jwk) })
    .execute();
  return true;
}

/** The signing keys, newest first. */
export async function listSigningKeys(db: Db): Promise<SigningKeyRow[]> {
  return db.selectFrom('signing_key').select(['kid', 'private_jwk']).orderBy('created_at', 'desc').execute();
}
