import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

export interface SigningKeyRow {
  kid: string;
  /** with its private part while it signs */
  jwk: Record<string, string>;
}

/** A signing key as it is listed. */
export interface SigningKeyState {
  kid: string;
  state: 'signs' | 'verifies' | 'retired' | 'revoked';
  created_at: TaxiiTimestamp;
  /** tokens that it signed and that are good now */
  tokens: number;
  /** when the last of them expires */
  tokens_until: TaxiiTimestamp | null;
}

/** The key that signs now. The caller's transaction may see one that was superseded a moment ago. */
export async function findSigningKey(tx: Tx): Promise<SigningKeyRow> {
  return tx
    .selectFrom('signing_key')
    .select(['kid', 'jwk'])
    .where('superseded_at', 'is', null)
    .executeTakeFirstOrThrow();
}

/** The keys whose tokens are good, newest first: the one that signs, and those with tokens that have not expired. */
export async function listVerifyingKeys(db: Db): Promise<SigningKeyRow[]> {
  return db
    .selectFrom('signing_key')
    .select(['kid', 'jwk'])
    .where('revoked_at', 'is', null)
    .where(isVerifying)
    .orderBy('created_at', 'desc')
    .execute();
}

// A minute longer, for tokens that were being signed while another key took over.
const isVerifying = sql<boolean>`(superseded_at is null or superseded_at > now() - interval '1 minute' or exists (
  select from token where token.kid = signing_key.kid and expires_at > now() and token.revoked_at is null))`;

/** Makes a key the one that signs; the one before keeps its public part alone. The caller holds the hub's lock. */
export async function insertSigningKey(tx: Tx, { kid, jwk }: SigningKeyRow): Promise<void> {
  await tx
    .updateTable('signing_key')
    .set({ superseded_at: sql`now()`, jwk: sql`jwk - 'd'` })
    .where('superseded_at', 'is', null)
    .execute();
  await tx
    .insertInto('signing_key')
    .values({
      kid,
      jwk: JSON.stringify(jwk),
      created_at: sql`clock_timestamp()`,
      superseded_at: null,
      revoked_at: null,
    })
    .execute();
}

/** Ends the trust in a superseded key; its tokens follow at their next check. Twice is a success. */
export async function setSigningKeyRevoked(tx: Tx, kid: string): Promise<void> {
  await tx
    .updateTable('signing_key')
    .set({ revoked_at: sql`coalesce(revoked_at, now())` })
    .where('kid', '=', kid)
    .execute();
}

/** All signing keys there ever were, newest first. */
export async function listSigningKeys(db: Db): Promise<SigningKeyState[]> {
  return db
    .selectFrom('signing_key')
    .leftJoin('token', join =>
      join
        .onRef('token.kid', '=', 'signing_key.kid')
        .on('token.revoked_at', 'is', null)
        .on('token.expires_at', '>', sql<string>`now()`),
    )
    .select(['signing_key.kid', 'signing_key.created_at'])
    .select(
      sql<SigningKeyState['state']>`case when signing_key.revoked_at is not null then 'revoked'
      when superseded_at is null then 'signs' when ${isVerifying} then 'verifies' else 'retired' end`.as('state'),
    )
    .select(sql<number>`count(token.jti)::integer`.as('tokens'))
    .select(sql<TaxiiTimestamp | null>`max(token.expires_at)`.as('tokens_until'))
    .groupBy('signing_key.kid')
    .orderBy('signing_key.created_at', 'desc')
    .execute();
}
