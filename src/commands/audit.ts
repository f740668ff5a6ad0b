import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type AuditFault, verifyAudit } from '../audit/verify.ts';
import { type AuditHead, type AuditRow, hubChain, listAudit, listAuditHeads, readAudit } from '../db/audit.ts';
import { listCollections } from '../db/collections.ts';
import type { Db } from '../db/pool.ts';
import { OperatorError } from '../errors.ts';
import { parseTimestamp, type TaxiiTimestamp } from '../taxii/timestamp.ts';
import { describeCommand, printRows, requireCollection, withHub } from './command.ts';
import { writeText } from './write-text.ts';

const rowsMax = 100_000;

export const auditCommand = () =>
  new Command('audit')
    .description('what was done, by whom, with which token: an append-only log, each row hashed with the one before it')
    .addCommand(
      describeCommand('list', 'list what was done, newest first')
        .option('--chain <collection>', 'what happened in a collection, or "hub": all else')
        .option('--since <date>', 'such as 2026-01-31 or 2026-01-31T12:00:00Z')
        .option('--limit <n>', 'how many at most', '100')
        .action(options =>
          withHub(async ({ db }) => {
            const chain = options.chain && (await requireChain(db, options.chain));
            const since = options.since && requireDate(options.since);
            const rows = await listAudit(db, { chain, since, rowsMax: requireLimit(options.limit) });
            const names = await nameChains(db);
            printRows(options.json ? rows : rows.map(row => toLine(row, names)), options);
          }),
        ),
    )
    .addCommand(
      new Command('export')
        .argument('[file]')
        .description('write the whole log as JSON lines, by chain and oldest first, or print it')
        .showHelpAfterError('(--help tells more)')
        .action(file => withHub(({ db }) => writeText(exportAudit(db), file))),
    )
    .addCommand(
      new Command('verify')
        .description('recompute every hash, name the first wrong row of each chain, and print where the chains end')
        .option(
          '--head <chain:seq:hash...>',
          'ends that were printed earlier and kept elsewhere, which must still hold',
        )
        .showHelpAfterError('(--help tells more)')
        .action(options => withHub(({ db }) => verify(db, (options.head ?? []).map(requireHead)))),
    );

async function verify(db: Db, noted: AuditHead[]): Promise<void> {
  const bar = process.stderr.isTTY ? new SingleBar({ format: '{bar} {percentage} % of {total} rows' }) : undefined;
  const report = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async tx => {
      const total = (await listAuditHeads(tx)).reduce((sum, head) => sum + head.seq, 0n);
      bar?.start(Number(total), 0);
      return verifyAudit(tx, { noted, onProgress: rows => bar?.update(rows) });
    })
    .finally(() => bar?.stop());
  const names = await nameChains(db);
  for (const { chain, seq, hash } of report.heads) process.stdout.write(`${chain}:${seq}:${hash}\n`);
  for (const fault of report.faults) process.stderr.write(`${describeFault(fault, names)}\n`);
  if (report.faults.length > 0) process.exitCode = 1;
  else process.stderr.write(`The audit log is whole: ${report.rows} rows in ${report.heads.length} chains.\n`);
}

function describeFault({ chain, seq, at, what }: AuditFault, names: Map<string, string>): string {
  return `chain ${names.get(chain) ?? chain}, row ${seq}${at === undefined ? '' : ` of ${at}`}: ${what}`;
}

async function* exportAudit(db: Db): AsyncGenerator<string> {
  for await (const rows of readAudit(db)) yield rows.map(row => `${JSON.stringify(row)}\n`).join('');
}

async function requireChain(db: Db, name: string): Promise<string> {
  return name === hubChain ? hubChain : (await requireCollection(db, name)).id;
}

/** The aliases of collections by their ids, but for one that would be taken for the chain of the hub. */
async function nameChains(db: Db): Promise<Map<string, string>> {
  const collections = (await listCollections(db)).filter(({ alias }) => alias !== hubChain);
  return new Map(collections.map(({ id, alias }) => [id, alias]));
}

function toLine(row: AuditRow, names: Map<string, string>) {
  const { at, seq, actor, action, subject, token, request_id, details } = row;
  return { at, chain: names.get(row.chain) ?? row.chain, seq, actor, action, subject, details, token, request_id };
}

function requireDate(text: string): TaxiiTimestamp {
  const date = parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (date !== undefined) return date;
  throw new OperatorError(`--since takes a date such as 2026-01-31 or 2026-01-31T12:00:00Z, not "${text}".`);
}

function requireLimit(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= rowsMax) return Number(text);
  throw new OperatorError(`--limit takes a whole number from 1 to ${rowsMax}, not "${text}".`);
}

function requireHead(text: string): AuditHead {
  const [, chain, seq, hash] = /^([a-z0-9-]+):([1-9]\d{0,17}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (chain && seq && hash) return { chain, seq: BigInt(seq), hash };
  throw new OperatorError(
    `--head takes <chain>:<seq>:<hash> as \`npx taxiway audit verify\` prints it, not "${text}".`,
  );
}
