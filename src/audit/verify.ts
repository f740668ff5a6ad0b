import { type AuditHead, type AuditRow, hashAuditRow, listAuditHeads, readAudit } from '../db/audit.ts';
import type { Tx } from '../db/pool.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';

/** The first row of a chain at which something is wrong. */
export interface AuditFault {
  chain: string;
  seq: bigint;
  /** when the row was written, where there is one */
  at?: TaxiiTimestamp;
  /** what is wrong with it, to follow its name */
  what: string;
}

/** What verifying found. */
export interface AuditReport {
  rows: number;
  /** of the chains that are whole */
  heads: AuditHead[];
  /** at most one a chain */
  faults: AuditFault[];
}

export interface VerifyOptions {
  /** heads that were noted elsewhere, of any time: they show when a chain was written anew as a whole */
  noted: AuditHead[];
  /** called after each batch, with the rows so far */
  onProgress?: (rows: number) => void;
}

/**
 * Recomputes the hash of every row of the audit log, chain by chain; memory stays at one batch and the heads.
 * @param tx sees one moment (repeatable read), so that rows which are written meanwhile are no faults
 */
export async function verifyAudit(tx: Tx, { noted, onProgress = () => {} }: VerifyOptions): Promise<AuditReport> {
  const written = await listAuditHeads(tx);
  const report: AuditReport = { rows: 0, heads: [], faults: [] };
  const unseen = new Set([...written, ...noted].map(head => head.chain));
  let chain: Chain | undefined;

  const finish = (ended: Chain) => {
    unseen.delete(ended.name);
    const fault = ended.fault ?? findFaultAtEnd(ended, { written, noted });
    if (fault) report.faults.push({ chain: ended.name, ...fault });
    else if (ended.seq > 0n) report.heads.push({ chain: ended.name, seq: ended.seq, hash: ended.hash });
  };
  for await (const rows of readAudit(tx)) {
    for (const row of rows) {
      if (chain && chain.name !== row.chain) finish(chain);
      if (chain?.name !== row.chain) chain = startChain(row.chain);
      chain.fault ??= findFault(chain, row, noted);
      chain.seq = BigInt(row.seq);
      chain.hash = row.hash;
    }
    report.rows += rows.length;
    onProgress(report.rows);
  }
  if (chain) finish(chain);
  for (const name of unseen) finish(startChain(name));
  return report;
}

/** What is known of a chain so far. */
interface Chain {
  name: string;
  seq: bigint;
  hash: string;
  fault: Omit<AuditFault, 'chain'> | undefined;
}

function startChain(name: string): Chain {
  return { name, seq: 0n, hash: '', fault: undefined };
}

function findFault(chain: Chain, row: AuditRow, noted: AuditHead[]): Chain['fault'] {
  const expected = chain.seq + 1n;
  const seq = BigInt(row.seq);
  if (seq > expected) return { seq: expected, what: 'is missing' };
  const { at } = row;
  if (seq < expected) return { seq, at, what: 'was never written by the hub' };
  if (row.hash !== hashAuditRow(chain.hash, row)) {
    const orBefore = expected === 1n ? '' : `, or row ${chain.seq} was, together with its hash`;
    return { seq, at, what: `was changed${orBefore}` };
  }
  const isAsNoted = noted.every(head => head.chain !== chain.name || head.seq !== seq || head.hash === row.hash);
  return isAsNoted ? undefined : { seq, at, what: 'is not the row whose hash was noted: the chain was written anew' };
}

function findFaultAtEnd({ name, seq, hash }: Chain, heads: { written: AuditHead[]; noted: AuditHead[] }) {
  const end = heads.written.find(head => head.chain === name) ?? { seq: 0n, hash: '' };
  const next = seq + 1n;
  const missing = (what: string) => ({ seq: next, what: `is missing: the chain ends at ${seq}, ${what}` });
  if (end.seq > seq) return missing(`${end.seq} were written`);
  if (end.seq < seq) return { seq, what: `stands behind the end: ${end.seq} were written` };
  if (end.hash !== hash) return { seq, what: 'was changed: it is not the row that was written last' };
  const later = heads.noted.find(head => head.chain === name && head.seq > seq);
  return later && missing(`${later.seq} was noted`);
}
