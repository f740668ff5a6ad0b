import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

/** Where the public keys of a partner come from: one of both. */
export interface KeySource {
  jwks_uri: string | null;
  /** a JWKS, as JSON text */
  jwks: string | null;
}

/** How the tokens of an identity provider are read. */
export interface Issuer extends KeySource {
  issuer: string;
  audience: string;
  /** the claim that holds the scope, unless `scope` is set */
  scope_claim: string;
  scope: string | null;
  algorithms: string[];
}

/** An issuer, and the partner that it speaks for. */
export interface IssuerRow extends Issuer {
  partner_id: string;
  partner: string;
  created_at: TaxiiTimestamp;
}

/** @returns undefined where the issuer has been registered already, for whichever partner */
export async function insertIssuer(tx: Tx, partnerId: string, issuer: Issuer): Promise<{ issuer: string } | undefined> {
  return tx
    .insertInto('partner_issuer')
    .values({ ...issuer, partner_id: partnerId })
    .onConflict(conflict => conflict.doNothing())
    .returning('issuer')
    .executeTakeFirst();
}

/** @returns whether it was there */
export async function deleteIssuer(tx: Tx, partnerId: string, issuer: string): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('partner_issuer')
    .where('partner_id', '=', partnerId)
    .where('issuer', '=', issuer)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

/** All issuers, by partner; of one partner where given. */
export async function listIssuers(db: Db, partnerId?: string): Promise<IssuerRow[]> {
  return selectIssuers(db)
    .$if(partnerId !== undefined, query => query.where('partner_id', '=', partnerId as string))
    .orderBy('partner.slug')
    .orderBy('issuer')
    .execute();
}

/** The issuers whose tokens are good now: not those of disabled partners. */
export async function listTrustedIssuers(db: Db): Promise<IssuerRow[]> {
  return selectIssuers(db).where('partner.disabled_at', 'is', null).execute();
}

function selectIssuers(db: Db) {
  return db
    .selectFrom('partner_issuer')
    .innerJoin('partner', 'partner.id', 'partner_issuer.partner_id')
    .select(['issuer', 'partner_id', 'partner.slug as partner', 'jwks_uri', 'jwks', 'audience', 'scope_claim', 'scope'])
    .select(['algorithms', 'partner_issuer.created_at']);
}
