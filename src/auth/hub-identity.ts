import { randomBytes, randomUUID } from 'node:crypto';
import { findHub, insertHub } from '../db/hub.ts';
import type { Db } from '../db/pool.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import { addSigningKey, rememberVerifyingKeys, type VerifyingKeysReader } from './signing-keys.ts';

/** What a hub is to its partners: the issuer of its tokens, its keys, and what authenticates its cursors. */
export interface HubIdentity {
  /** `urn:uuid:…`, both issuer and audience: it stays true when the hub's URL changes */
  issuer: string;
  verifyingKeys: VerifyingKeysReader;
  cursorKey: Buffer;
  /** `identity--…`: the STIX identity that stands for senders who must not be seen */
  stixId: string;
  createdAt: TaxiiTimestamp;
}

/** Reads the hub's identity, and makes it at the very first start. Safe when several nodes start at once. */
export async function loadIdentity(db: Db): Promise<HubIdentity> {
  const hub = (await findHub(db)) ?? (await createHub(db));
  return {
    issuer: `urn:uuid:${hub.id}`,
    verifyingKeys: rememberVerifyingKeys(db),
    cursorKey: hub.cursorKey,
    stixId: `identity--${hub.id}`,
    createdAt: hub.createdAt,
  };
}

async function createHub(db: Db) {
  await db.transaction().execute(async tx => {
    const isFirst = await insertHub(tx, { id: randomUUID(), cursorKey: randomBytes(32) });
    if (isFirst) await addSigningKey(tx);
  });
  // Another node may have been faster: what is stored counts.
  const hub = await findHub(db);
  if (!hub) throw new Error('the hub could not be created');
  return hub;
}
