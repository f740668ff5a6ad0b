import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

export interface TokenRow {
  jti: string;
  partner: string;
  client_id: string | null;
  scope: string;
  issued_at: TaxiiTimestamp;
  expires_at: TaxiiTimestamp;
  revoked_at: TaxiiTimestamp | null;
}

/** Keeps what is needed to revoke a token: not the token itself. */
export async function insertToken(
  db: Db,
  token: {
    jti: string;
    partner_id: string;
    scope: string;
    issued_at: TaxiiTimestamp;
    expires_at: TaxiiTimestamp;
    kid: string;
    client_id: string | null;
  },
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
    .select(['jti', 'partner.slug as partner', 'client_id', 'scope', 'issued_at', 'expires_at', 'revoked_at'])
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

/** Stops all tokens of a client; they follow at their next check. */
export async function setClientTokensRevoked(tx: Tx, clientId: string): Promise<void> {
  await tx
    .updateTable('token')
    .set({ revoked_at: sql`now()` })
    .where('client_id', '=', clientId)
    .where('expires_at', '>', sql<string>`now()`)
    .where('revoked_at', 'is', null)
    .execute();
}

/**
 * The partner that a token speaks for now. undefined where it is unknown or revoked, another key signed it, its key has
 * been revoked, or the partner is disabled.
 */
export async function findTokenHolder(
  db: Db,
  token: { jti: string; kid: string },
): Promise<{ id: string; slug: string } | undefined> {
  return db
    .selectFrom('token')
    .innerJoin('partner', 'partner.id', 'token.partner_id')
    .innerJoin('signing_key', 'signing_key.kid', 'token.kid')
    .select(['partner.id', 'partner.slug'])
    .where('token.jti', '=', token.jti)
    .where('token.kid', '=', token.kid)
    .where('token.revoked_at', 'is', null)
    .where('signing_key.revoked_at', 'is', null)
    .where('partner.disabled_at', 'is', null)
    .executeTakeFirst();
}

/** How many tokens of a client are good now; at most `max` are counted. */
export async function countLivingTokens(db: Db, clientId: string, max: number): Promise<number> {
  const living = db
    .selectFrom('token')
    .select('jti')
    .where('client_id', '=', clientId)
    .where('expires_at', '>', sql<string>`now()`)
    .where('revoked_at', 'is', null)
    .limit(max);
  const { count } = await db
    .selectFrom(living.as('living'))
    .select(sql<string>`count(*)`.as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How many rows one call of deleteExpiredClientTokens removes at most. */
export const expiredTokensMax = 1000;

/** Removes tokens of clients that expired a day ago, at most expiredTokensMax. @returns how many were removed */
export async function deleteExpiredClientTokens(db: Db): Promise<number> {
  const expired = db
    .selectFrom('token')
    .select('jti')
    .where('client_id', 'is not', null)
    .where('expires_at', '<', sql<string>`now() - interval '1 day'`)
    .limit(expiredTokensMax);
  const deleted = await db.deleteFrom('token').where('jti', 'in', expired).executeTakeFirst();
  return Number(deleted.numDeletedRows);
}
