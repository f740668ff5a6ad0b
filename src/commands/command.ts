import { Command, Option } from 'commander';
import { parseScope } from '../auth/scopes.ts';
import { type Config, readEnv, toConfig } from '../config.ts';
import { type CollectionRow, findCollection, isSlug, listCollections } from '../db/collections.ts';
import { connect } from '../db/connect.ts';
import { findPartner, type PartnerRow } from '../db/partners.ts';
import type { Db } from '../db/pool.ts';
import { listCollectionsOf } from '../db/provenance.ts';
import { OperatorError } from '../errors.ts';
import { createHub, type Hub } from '../hub.ts';
import type { Policy } from '../stix/catalogue.ts';
import { isIdentifier } from '../stix/identifier.ts';
import { isUuid } from '../taxii/uuid.ts';

/** A command that prints for people, and with --json for machines. */
export function describeCommand(usage: string, description: string): Command {
  const [name, ...parameters] = usage.split(' ');
  const command = new Command(name);
  for (const parameter of parameters) command.argument(parameter);
  return command
    .description(description)
    .option('--json', 'print JSON, for machines')
    .showHelpAfterError('(--help tells more)');
}

/** An option that takes a validation policy; tolerant where it is left out. */
export function policyOption(flags: string, description: string): Option {
  return new Option(flags, description).choices(['strict', 'tolerant'] satisfies Policy[]).default('tolerant');
}

/** The configuration of this process. */
export function readConfig(): Config {
  return toConfig(readEnv());
}

/** Runs a command on the hub's database, whether the hub is running or not. */
export async function withHub<Result>(work: (hub: Hub) => Promise<Result>): Promise<Result> {
  const config = readConfig();
  const log = (message: string) => process.stderr.write(`${message}\n`);
  const database = await connect(config, { log, migrations: 'check' });
  // Ctrl-C must not leave an embedded database running that this command has started.
  const interrupt = (signal: NodeJS.Signals) => {
    database.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await work(await createHub(config, database.db));
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await database.close();
  }
}

/** Prints rows as aligned columns, or as JSON. */
export function printRows(rows: object[], options: { json?: boolean }): void {
  printLine(options.json ? JSON.stringify(rows, null, 2) : toTable(rows as Record<string, unknown>[]));
}

function toTable(rows: Record<string, unknown>[]): string {
  if (!rows[0]) return '(none)';
  const names = Object.keys(rows[0]);
  const table = [names, ...rows.map(row => names.map(name => String(row[name] ?? '-')))];
  const widths = names.map((_, column) => Math.max(...table.map(cells => cells[column]?.length ?? 0)));
  return table
    .map(cells =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Prints one thing: a line for people, or the whole of it as JSON. */
export function printResult(line: string, result: object, options: { json?: boolean }): void {
  printLine(options.json ? JSON.stringify(result, null, 2) : line);
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** @throws OperatorError where the text cannot stand in a URL path */
export function requireSlug(what: string, text: string): string {
  // A UUID would be taken for the id of a collection.
  if (isSlug(text) && !isUuid(text)) return text;
  throw new OperatorError(
    `The name of a ${what} takes a-z, 0-9 and single hyphens, at most 64, and no UUID, not "${text}".`,
  );
}

/** The collection of that id or alias. @throws OperatorError */
export async function requireCollection(db: Db, name: string): Promise<CollectionRow> {
  const collection = await findCollection(db, name);
  if (collection) return collection;
  throw new OperatorError(`There is no collection "${name}": \`npx taxiway collection list\` shows them.`);
}

/**
 * The collections that hold an object or have held it; of them the one that is named, where one is.
 * @throws OperatorError where the object is in none
 */
export async function requireCollectionsOf(db: Db, objectId: string, name?: string): Promise<CollectionRow[]> {
  const only = name === undefined ? undefined : await requireCollection(db, name);
  const ids = isIdentifier(objectId) ? await listCollectionsOf(db, objectId) : [];
  const collections = (await listCollections(db)).filter(({ id }) => ids.includes(id) && (only?.id ?? id) === id);
  if (collections.length > 0) return collections;
  throw new OperatorError(`There is no object "${objectId}" in ${only ? `"${only.alias}"` : 'any collection'}.`);
}

/** A partner, disabled or not. @throws OperatorError */
export async function requireKnownPartner(db: Db, slug: string): Promise<PartnerRow> {
  const partner = await findPartner(db, slug);
  if (partner) return partner;
  throw new OperatorError(`There is no partner "${slug}": \`npx taxiway partner add\` adds one.`);
}

/** A partner who can act: not a disabled one. @throws OperatorError */
export async function requirePartner(db: Db, slug: string): Promise<PartnerRow> {
  const partner = await requireKnownPartner(db, slug);
  if (partner.disabled_at === null) return partner;
  throw new OperatorError(`The partner "${slug}" is disabled: \`npx taxiway partner enable ${slug}\` changes that.`);
}

/** @throws OperatorError where nothing stands in it, or what would break a line */
export function requireText(option: string, text: string): string {
  if (text.trim() === '') throw new OperatorError(`${option} must not be empty.`);
  if (/\p{Cc}/u.test(text)) throw new OperatorError(`${option} must be one line, without control characters.`);
  return text;
}

/**
 * A scope whose collections exist, each by its alias, or by its id as the hub writes it.
 * @throws OperatorError
 */
export async function requireScope(db: Db, text: string): Promise<string> {
  const scopes = parseScope(text);
  if (!scopes) throw new OperatorError(`--scope takes words like collection:<alias or id or *>:read, not "${text}".`);
  const words = scopes.map(async ({ collection, right }) => {
    const found = collection === '*' ? undefined : await requireCollection(db, collection);
    // By its id as the hub writes it, or by its alias: rights are compared as text.
    return `collection:${found && isUuid(collection) ? found.id : collection}:${right}`;
  });
  return (await Promise.all(words)).join(' ');
}
