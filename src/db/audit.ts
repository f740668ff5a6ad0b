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
export async function appendAudit(tx: Tx, actor: Actor, { chain, ...entry }: AuditEntry): Promise<void> {
  await appendAuditRows(tx, chain, [{ actor, ...entry }]);
}

/** A row of a chain that is known. */
export type ChainEntry = Omit<AuditEntry, 'chain'> & { actor: Actor };

/** Appends rows to one chain in their order, as appendAudit does. */
export async function appendAuditRows(tx: Tx, chain: string, entries: ChainEntry[]): Promise<void> {
  if (entries.length === 0 || (await append(tx, chain, entries)) > 0) return;
  await tx
    .insertInto('audit_chain')
    .values({ chain, seq: '0', hash: Buffer.alloc(0) })
    .onConflict(conflict => conflict.doNothing())
    .execute();
  await append(tx, chain, entries);
}

// What is hashed: the hash before, in hexadecimal, and the columns, a line each (docs/audit.md).
async function append(tx: Tx, chain: string, entries: ChainEntry[]) {
  const rows = entries.map(({ actor, action, subject, details = {}, dates }, index) => ({
    n: index + 1,
    actor: actor.name,
    token: actor.token ?? '',
    request_id: actor.requestId ?? '',
    action,
    subject,
    details: JSON.stringify(details),
    date_added_first: dates?.first,
    date_added_last: dates?.last,
  }));
  const { numAffectedRows } = await sql`
    with recursive head as (
      select seq, hash, clock_timestamp() as at from audit_chain where chain = ${chain} for update
    ), entry as (
      select *, concat_ws(E'\\n', ${toText('at')}, actor, token, request_id, action, subject, details,
        ${toText('date_added_first')}, ${toText('date_added_last')}) as lines
      from head, json_to_recordset(${JSON.stringify(rows)}) as one(n integer, actor text, token text, request_id text,
        action text, subject text, details text, date_added_first timestamptz, date_added_last timestamptz)
    ), all_lines as (
      select array_agg(lines order by n) as lines from entry
    ), hashed as (
      select 0 as n, seq, hash from head
      union all
      select n + 1, seq + 1, sha256(convert_to(
        concat_ws(E'\\n', encode(hash, 'hex'), ${chain}::text, seq + 1, lines[n + 1]), 'UTF8'))
      from hashed, all_lines where n < ${rows.length}
    ), appended as (
      insert into audit (chain, seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, hash)
      select ${chain}, hashed.seq, at, actor, token, request_id, action, subject, details,
        date_added_first, date_added_last, hashed.hash from hashed join entry using (n)
    )
    update audit_chain set seq = hashed.seq, hash = hashed.hash
    from hashed where audit_chain.chain = ${chain} and hashed.n = ${rows.length}`.execute(tx);
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
