import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

export interface TokenRow {
  jti: string;
  partner: string;
  scope: string;
  issued_at: TaxiiTimestamp;
  expires_at: TaxiiTimestamp;
  revoked_at: TaxiiTimestamp | null;
}

/** Keeps what is needed to revoke a token: not the token itself. */
export async function insertToken(
  db: Db,
  token: { jti: string; partner_id: string; scope: string; issued_at: TaxiiTimestamp; expires_at: TaxiiTimestamp },
): Promise<void> {
  await db
    .insertInto('token')
    .values({ ...token, revoked_at: null })
    .execute();
}

/** All tokens that were ever issued, newest first. The tokens themselves are not kept. */
export async function listTokens(db: Db): Promise<TokenRow[]> {
  return db
    .selectFrom('token')
    .innerJoin('partner', 'partner.id', 'token.partner_id')
    .select(['jti', 'partner.slug as partner', 'scope', 'issued_at', 'expires_at', 'revoked_at'])
    .orderBy('issued_at', 'desc')
    .execute();
}

/** @returns the partner's slug; undefined where no token has that jti. Revoking twice is a success */
export async function setTokenRevoked(tx: Tx, jti: string): Promise<string | undefined> {
  const row = await tx
    .updateTable('token')
    .from('partner')
    .set({ revoked_at: sql`coalesce(revoked_at, now())` })
    .whereRef('partner.id', '=', 'token.partner_id')
    .where('jti', '=', jti)
    .returning('partner.slug')
    .executeTakeFirst();
  return row?.slug;
}

/** The partner that a token speaks for now. undefined where it is unknown or revoked, or the partner is disabled. */
export async function findTokenHolder(db: Db, jti: string): Promise<{ id: string; slug: string } | undefined> {
  return db
    .selectFrom('token')
    .innerJoin('partner', 'partner.id', 'token.partner_id')
    .select(['partner.id', 'partner.slug'])
    .where('token.jti', '=', jti)
    .where('token.revoked_at', 'is', null)
    .where('partner.disabled_at', 'is', null)
    .executeTakeFirst();
}
