import { type QueryCreator, type RawBuilder, sql } from 'kysely';
import type { Tx } from './pool.ts';
import type { Database } from './schema.ts';

// Writers hold a collection's lock for as long as their transaction takes, and with few objects that is round trips.

/**
 * Reads the rows of several queries by one statement, which costs one round trip.
 * @param queries what comes is JSON, so that they must ask for text where JSON would lose something: bigints, bytes, dates
 */
export async function readTogether<Rows extends Record<string, object>>(
  tx: Tx,
  queries: { [Name in keyof Rows]: RawBuilder<Rows[Name]> },
): Promise<{ [Name in keyof Rows]: Rows[Name][] }> {
  const columns = Object.entries(queries).map(
    ([name, query]) => sql`(select coalesce(json_agg(one), '[]') from (${query}) one) as ${sql.ref(name)}`,
  );
  const { rows } = await sql<{ [Name in keyof Rows]: Rows[Name][] }>`select ${sql.join(columns)}`.execute(tx);
  return rows[0] as { [Name in keyof Rows]: Rows[Name][] };
}

/** A statement that can be executed along with others. */
export type Statement = RawBuilder<Record<string, unknown>>;
/** Such statements, each by a name of its own. */
export type Statements = Record<string, Statement>;

/**
 * What begins a statement that executes others along with itself, in one round trip. None of them sees what another writes.
 */
export function alongWith(tx: Tx, statements: Statements): QueryCreator<Database> {
  return Object.entries(statements).reduce<QueryCreator<Database>>(
    (creator, [name, statement]) =>
      creator.with(name, () => sql<Record<string, unknown>>`(${statement})`) as unknown as QueryCreator<Database>,
    tx,
  );
}

/** Executes statements in one round trip; none where there are none. */
export async function writeTogether(tx: Tx, statements: Statements): Promise<void> {
  if (Object.keys(statements).length === 0) return;
  await alongWith(tx, statements).selectNoFrom(sql`1`.as('done')).execute();
}
