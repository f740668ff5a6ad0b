import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db } from './pool.ts';

export interface PartnerRow {
  id: string;
  slug: string;
  name: string;
  sector: string;
  disabled_at: TaxiiTimestamp | null;
  created_at: TaxiiTimestamp;
}

const columns = ['id', 'slug', 'name', 'sector', 'disabled_at', 'created_at'] as const;

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
