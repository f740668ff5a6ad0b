import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Db, Tx } from './pool.ts';

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
export async function appendAudit(tx: Tx, actor: Actor, entry: AuditEntry): Promise<void> {
  if ((await append(tx, actor, entry)) === 0) {
    await tx
      .insertInto('audit_chain')
      .values({ chain: entry.chain, seq: '0', hash: Buffer.alloc(0) })
      .onConflict(conflict => conflict.doNothing())
      .execute();
    await append(tx, actor, entry);
  }
}

// What is hashed: the hash before, in hexadecimal, and the columns, a line each (docs/audit.md).
async function append(tx: Tx, actor: Actor, { chain, action, subject, details = {}, dates }: AuditEntry) {
  const { numAffectedRows } = await sql`
    with head as (
      select chain, seq + 1 as seq, hash as previous, clock_timestamp() as at
      from audit_chain where chain = ${chain} for update
    ), entry as (
      select head.*, ${actor.name}::text as actor, ${actor.token ?? ''}::text as token,
        ${actor.requestId ?? ''}::text as request_id, ${action}::text as action, ${subject}::text as subject,
        ${JSON.stringify(details)}::text as details,
        ${dates?.first ?? null}::timestamptz as date_added_first, ${dates?.last ?? null}::timestamptz as date_added_last
      from head
    ), hashed as (
      select entry.*, sha256(convert_to(concat_ws(E'\\n', encode(previous, 'hex'), chain, seq, ${toText('at')}, actor, token,
        request_id, action, subject, details, ${toText('date_added_first')}, ${toText('date_added_last')}), 'UTF8')) as hash
      from entry
    ), appended as (
      insert into audit (chain, seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, hash)
      select chain, seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, hash from hashed
      returning chain, seq, hash
    )
    update audit_chain set seq = appended.seq, hash = appended.hash
    from appended where audit_chain.chain = appended.chain`.execute(tx);
  return Number(numAffectedRows ?? 0n);
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
const rowColumns = sql`chain, seq, ${toText('at')} as at, actor, token, request_id, action, subject, details,
  nullif(${toText('date_added_first')}, '') as date_added_first,
  nullif(${toText('date_added_last')}, '') as date_added_last, encode(hash, 'hex') as hash`;

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
function toText(column: string) {
  return sql`coalesce(to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '')`;
}
