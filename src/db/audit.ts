import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';
import { type Statements, writeTogether } from './together.ts';

/** Who does something: a partner through the API, or the operator on the command line. */
export interface Actor {
  /** the partner's slug, or `operator` */
  name: string;
  /** what names the credential, never the credential itself */
  token?: string;
  requestId?: string;
}

/** Whoever runs the command line has the database, and so every right. */
export const operator: Actor = { name: 'operator' };

/** What is kept of an operation. */
export interface AuditEntry {
  /** the collection in which it happens, else `hub` */
  chain: string;
  action: string;
  /** what it was done to: a partner, a collection, a token, a key */
  subject: string;
  /** more about it, without line breaks once it is JSON */
  details?: Record<string, unknown>;
  /** of the objects that were added */
  dates?: { first: TaxiiTimestamp; last: TaxiiTimestamp } | undefined;
}

/** The chain of everything that happens outside of a collection. */
export const hubChain = 'hub';

/**
 * Appends a row to the audit log, in the transaction of what it tells of. Waits for other transactions that have appended
 * to the same chain, so append last.
 */
export async function appendAudit(tx: Tx, actor: Actor, { chain, ...entry }: AuditEntry): Promise<void> {
  const { rows } = await lockChain(chain).execute(tx);
  await writeTogether(tx, appendToChain(chain, rows[0] ?? (await startChain(tx, chain)), [{ actor, ...entry }]));
}

/** A row of a chain that is known. */
export type ChainEntry = Omit<AuditEntry, 'chain'> & { actor: Actor };

/** Where a chain ends: the hash of its last row in hexadecimal, and what time it is. */
export interface ChainHead {
  seq: string;
  hash: string;
  at: TaxiiTimestamp;
}

/** The query for the end of a chain, which locks it until the transaction ends; no row where nothing was ever appended. */
export function lockChain(chain: string): RawBuilder<ChainHead> {
  return sql`
    select seq::text, encode(hash, 'hex') as hash, ${toText(sql`clock_timestamp()`)} as at
    from audit_chain where chain = ${chain} for update`;
}

/** Makes a chain that is not there yet, and locks it. */
export async function startChain(tx: Tx, chain: string): Promise<ChainHead> {
  await tx
    .insertInto('audit_chain')
    .values({ chain, seq: '0', hash: Buffer.alloc(0) })
    .onConflict(conflict => conflict.doNothing())
    .execute();
  const { rows } = await lockChain(chain).execute(tx);
  return rows[0] as ChainHead;
}

/** The statements that append rows to a chain in their order. The caller has locked it; none where there are no rows. */
export function appendToChain(chain: string, head: ChainHead, entries: ChainEntry[]): Statements {
  if (entries.length === 0) return {};
  let { seq, hash } = head;
  const rows = entries.map(({ actor, action, subject, details = {}, dates }) => {
    seq = String(BigInt(seq) + 1n);
    const row = {
      chain,
      seq,
      at: head.at,
      actor: actor.name,
      token: actor.token ?? '',
      request_id: actor.requestId ?? '',
      action,
      subject,
      details: JSON.stringify(details),
      date_added_first: dates?.first ?? null,
      date_added_last: dates?.last ?? null,
    };
    hash = hashAuditRow(hash, row);
    return { ...row, hash };
  });
  return {
    appended: sql`
      insert into audit (chain, seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, hash)
      select chain, seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, decode(hash, 'hex')
      from json_to_recordset(${JSON.stringify(rows)}) as one(chain text, seq bigint, at timestamptz, actor text, token text,
        request_id text, action text, subject text, details text, date_added_first timestamptz,
        date_added_last timestamptz, hash text)`,
    ended: sql`update audit_chain set seq = ${seq}, hash = decode(${hash}, 'hex') where chain = ${chain}`,
  };
}

/** The hash of a row, in hexadecimal: of the hash before it and the columns, a line each (docs/audit.md). */
export function hashAuditRow(previous: string, row: Omit<AuditRow, 'hash'>): string {
  const { chain, seq, at, actor, token, request_id, action, subject, details } = row;
  const dates = [row.date_added_first ?? '', row.date_added_last ?? ''];
  const lines = [previous, chain, seq, at, actor, token, request_id, action, subject, details, ...dates];
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** A row as it is read back; dates as TaxiiTimestamp, the hash in hexadecimal. */
export interface AuditRow {
  chain: string;
  seq: string;
  at: TaxiiTimestamp;
  actor: string;
  token: string;
  request_id: string;
  action: string;
  subject: string;
  details: string;
  date_added_first: TaxiiTimestamp | null;
  date_added_last: TaxiiTimestamp | null;
  hash: string;
}

// As text, so that a row which somebody gave an impossible date can be read too.
const rowColumns = sql`chain, seq, ${toText(sql.ref('at'))} as at, actor, token, request_id, action, subject, details,
  nullif(${toText(sql.ref('date_added_first'))}, '') as date_added_first,
  nullif(${toText(sql.ref('date_added_last'))}, '') as date_added_last, encode(hash, 'hex') as hash`;

/** The newest rows first, of one chain where given, none older than `since`. */
export async function listAudit(
  db: Db,
  { chain, since, rowsMax }: { chain?: string | undefined; since?: TaxiiTimestamp | undefined; rowsMax: number },
): Promise<AuditRow[]> {
  const { rows } = await sql<AuditRow>`
    select ${rowColumns} from audit
    where ${chain === undefined ? sql`true` : sql`chain = ${chain}`}
      and ${since === undefined ? sql`true` : sql`audit.at >= ${since}::timestamptz`}
    order by ${chain === undefined ? sql`audit.at desc, chain, audit.seq desc` : sql`audit.seq desc`}
    limit ${rowsMax}`.execute(db);
  return rows;
}

const batchRowsMax = 1000;

/** All rows by chain and seq, in batches. */
export async function* readAudit(db: Db): AsyncGenerator<AuditRow[]> {
  let after = sql`true`;
  for (;;) {
    const { rows } = await sql<AuditRow>`
      select ${rowColumns} from audit where ${after} order by audit.chain, audit.seq limit ${batchRowsMax}`.execute(db);
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = sql`(chain, seq) > (${last.chain}, ${last.seq}::bigint)`;
  }
}

/** A place in a chain: the hash of a row, in hexadecimal, covers all rows before it. */
export interface AuditHead {
  chain: string;
  seq: bigint;
  hash: string;
}

/** Where each chain ends, as it was written with its last row. */
export async function listAuditHeads(db: Db): Promise<AuditHead[]> {
  const rows = await db.selectFrom('audit_chain').selectAll().orderBy('chain').execute();
  return rows.map(({ chain, seq, hash }) => ({ chain, seq: BigInt(seq), hash: hash.toString('hex') }));
}

/** A date as a TaxiiTimestamp, or nothing. */
function toText(date: RawBuilder<unknown>) {
  return sql`coalesce(to_char(${date} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '')`;
}
