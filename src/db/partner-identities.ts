import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db } from './pool.ts';

export interface PartnerIdentityRow {
  partner: string;
  /** STIX id of the identity, in lower case */
  identity: string;
  created_at: TaxiiTimestamp;
}

/**
 * Notes that a STIX identity stands for a partner.
 * @param identity in lower case
 * @returns the slug of the partner for which it stands now: another one's, where it did so before
 */
export async function insertPartnerIdentity(db: Db, partnerId: string, identity: string): Promise<string> {
  await db
    .insertInto('partner_identity')
    .values({ identity_id: identity, partner_id: partnerId })
    .onConflict(conflict => conflict.doNothing())
    .execute();
  const { slug } = await db
    .selectFrom('partner_identity')
    .innerJoin('partner', 'partner.id', 'partner_id')
    .select('slug')
    .where('identity_id', '=', identity)
    .executeTakeFirstOrThrow();
  return slug;
}

/** @returns false where it did not stand for the partner */
export async function deletePartnerIdentity(db: Db, partnerId: string, identity: string): Promise<boolean> {
  const deleted = await db
    .deleteFrom('partner_identity')
    .where('identity_id', '=', identity)
    .where('partner_id', '=', partnerId)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

/** The identities of all partners, or of one, by partner. */
export async function listPartnerIdentities(db: Db, partnerId?: string): Promise<PartnerIdentityRow[]> {
  return db
    .selectFrom('partner_identity')
    .innerJoin('partner', 'partner.id', 'partner_id')
    .select(['slug as partner', 'identity_id as identity', 'partner_identity.created_at'])
    .$if(partnerId !== undefined, query => query.where('partner_id', '=', partnerId as string))
    .orderBy('slug')
    .orderBy('identity_id')
    .execute();
}

/** By what a partner can be recognised in an object. undefined: there is no such partner */
export async function findPartnerMarks(
  db: Db,
  partnerId: string,
): Promise<{ name: string; identities: string[] } | undefined> {
  return db
    .selectFrom('partner')
    .leftJoin('partner_identity', 'partner_id', 'partner.id')
    .select(['name', sql<string[]>`array_remove(array_agg(identity_id), null)`.as('identities')])
    .where('partner.id', '=', partnerId)
    .groupBy('partner.id')
    .executeTakeFirst();
}
