import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { KeySource } from './issuers.ts';
import type { Db, Tx } from './pool.ts';

/** How a client proves who it is (a hashed secret, or a source of keys), and what it may ask for. */
export interface Client extends KeySource {
  id: string;
  /** null: all that the partner has been granted */
  scope: string | null;
  secret: string | null;
}

/** A client, and the partner whose it is. */
export interface ClientRow extends Client {
  partner_id: string;
  partner: string;
  created_at: TaxiiTimestamp;
}

/** Adds a client that may get tokens for the partner. */
export async function insertClient(tx: Tx, partnerId: string, client: Client): Promise<void> {
  await tx
    .insertInto('oauth_client')
    .values({ ...client, partner_id: partnerId })
    .execute();
}

/** @returns the partner's slug; undefined where there is no such client */
export async function deleteClient(tx: Tx, clientId: string): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('oauth_client')
    .using('partner')
    .whereRef('partner.id', '=', 'oauth_client.partner_id')
    .where('oauth_client.id', '=', clientId)
    .returning('partner.slug')
    .executeTakeFirst();
  return row?.slug;
}

/** All clients, by partner; of one partner where given. */
export async function listClients(db: Db, partnerId?: string): Promise<ClientRow[]> {
  return selectClients(db)
    .$if(partnerId !== undefined, query => query.where('partner_id', '=', partnerId as string))
    .orderBy('partner.slug')
    .orderBy('oauth_client.created_at')
    .execute();
}

/** A client, whether or not it may have tokens now. undefined where there is none of that id. */
export async function findClient(db: Db, clientId: string): Promise<ClientRow | undefined> {
  return selectClients(db).where('oauth_client.id', '=', clientId).executeTakeFirst();
}

/**
 * Keeps a client from being removed until the transaction ends, so that no token is issued that its removal would miss.
 * @returns whether it may have tokens: it is still there, and its partner is not disabled
 */
export async function lockClient(tx: Tx, clientId: string): Promise<boolean> {
  const row = await selectClients(tx)
    .where('oauth_client.id', '=', clientId)
    .where('partner.disabled_at', 'is', null)
    .forKeyShare('oauth_client')
    .executeTakeFirst();
  return row !== undefined;
}

function selectClients(db: Db) {
  return db
    .selectFrom('oauth_client')
    .innerJoin('partner', 'partner.id', 'oauth_client.partner_id')
    .select(['oauth_client.id', 'partner_id', 'partner.slug as partner', 'scope', 'secret', 'jwks_uri', 'jwks'])
    .select('oauth_client.created_at');
}

/** Notes that an assertion has been used. @returns false where it had been already, on whichever node */
export async function insertAssertion(db: Db, digest: Buffer, expiresAt: TaxiiTimestamp): Promise<boolean> {
  const inserted = await db
    .insertInto('client_assertion')
    .values({ digest, expires_at: expiresAt })
    .onConflict(conflict => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows !== 0n;
}

/** How many rows one call of deleteExpiredAssertions removes at most. */
export const expiredAssertionsMax = 1000;

/** Forgets assertions that expired an hour ago, by any node's clock, at most expiredAssertionsMax. @returns how many */
export async function deleteExpiredAssertions(db: Db): Promise<number> {
  const expired = db
    .selectFrom('client_assertion')
    .select('digest')
    .where('expires_at', '<', sql<string>`now() - interval '1 hour'`)
    .limit(expiredAssertionsMax);
  const deleted = await db.deleteFrom('client_assertion').where('digest', 'in', expired).executeTakeFirst();
  return Number(deleted.numDeletedRows);
}
