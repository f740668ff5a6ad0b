import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db } from './pool.ts';

export interface PartnerRow {
  id: string;
  slug: string;
  name: string;
  sector: string;
  disabled_at: TaxiiTimestamp | null;
  /** the networks that it may come from, as auth/addresses.ts writes them; null: from anywhere */
  addresses: string[] | null;
  created_at: TaxiiTimestamp;
}

const columns = ['id', 'slug', 'name', 'sector', 'disabled_at', 'addresses', 'created_at'] as const;

/** @returns undefined where a partner of that slug is there already */
export async function insertPartner(
  db: Db,
  partner: { slug: string; name: string; sector: string },
): Promise<PartnerRow | undefined> {
  return db
    .insertInto('partner')
    .values(partner)
    .onConflict(conflict => conflict.column('slug').doNothing())
    .returning(columns)
    .executeTakeFirst();
}

/** All partners, disabled ones too, by slug. */
export async function listPartners(db: Db): Promise<PartnerRow[]> {
  return db.selectFrom('partner').select(columns).orderBy('slug').execute();
}

/** @returns undefined where there is none of that slug; a disabled one is found */
export async function findPartner(db: Db, slug: string): Promise<PartnerRow | undefined> {
  return db.selectFrom('partner').select(columns).where('slug', '=', slug).executeTakeFirst();
}

/** Disables or enables a partner; its tokens follow at their next check. undefined where there is none of that slug. */
export async function setPartnerState(
  db: Db,
  slug: string,
  state: 'enabled' | 'disabled',
): Promise<PartnerRow | undefined> {
  return db
    .updateTable('partner')
    .set({ disabled_at: state === 'disabled' ? sql`coalesce(disabled_at, now())` : null })
    .where('slug', '=', slug)
    .returning(columns)
    .executeTakeFirst();
}

/** Sets the networks that a partner may come from; null: from anywhere. Nodes follow within two seconds. */
export async function setPartnerAddresses(db: Db, partnerId: string, addresses: string[] | null): Promise<void> {
  await db.updateTable('partner').set({ addresses }).where('id', '=', partnerId).execute();
}

/** The networks that a partner may come from; null: from anywhere. */
export async function findPartnerAddresses(db: Db, partnerId: string): Promise<string[] | null> {
  const row = await db.selectFrom('partner').select('addresses').where('id', '=', partnerId).executeTakeFirstOrThrow();
  return row.addresses;
}

/** The partner of that id, which is known to be there. */
export async function getPartner(db: Db, partnerId: string): Promise<PartnerRow> {
  return db.selectFrom('partner').select(columns).where('id', '=', partnerId).executeTakeFirstOrThrow();
}
