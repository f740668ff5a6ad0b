import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Db } from './pool.ts';
import type { Database } from './schema.ts';

const folder = new URL('../../migrations/concurrently/', import.meta.url);
const retryMs = 500;

/** `make` adds indexes; `drop` removes those that only nodes of older versions need. */
export type Step = 'make' | 'drop';

/**
 * Applies what is changed about large tables while the hub goes on: files of statements that run each by itself and may be
 * run again, so that whatever was interrupted is taken up where it was. Until they are applied, answers are right, and
 * slower. Safe when several nodes do it at once: one builds an index, the others look on. Takes minutes for millions of
 * objects.
 * @param db sessions of PostgreSQL itself: PgBouncer would hand out another one for each statement
 * @returns the names of the files that were applied to the end now
 */
export async function applyConcurrently(db: Db, steps: Step[]): Promise<string[]> {
  const applied: string[] = [];
  for (const name of await listPending(db)) {
    if (!steps.some(step => name.endsWith(`.${step}`))) continue;
    const text = await readFile(new URL(`${name}.sql`, folder), 'utf8');
    await db.connection().execute(async connection => {
      await sql`set statement_timeout = 0`.execute(connection);
      await sql`set lock_timeout = 0`.execute(connection);
      try {
        for (const statement of text.split(/\n{2,}/)) await applyStatement(connection, statement);
      } finally {
        await sql`reset statement_timeout`.execute(connection);
        await sql`reset lock_timeout`.execute(connection);
      }
    });
    await db
      .insertInto('concurrent_migration')
      .values({ name })
      .onConflict(one => one.doNothing())
      .execute();
    applied.push(name);
  }
  return applied;
}

// Of one number, what makes comes before what drops.
async function listPending(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('concurrent_migration').select('name').execute();
  const applied = new Set(rows.map(({ name }) => name));
  const names = (await readdir(folder)).map(file => file.replace(/\.sql$/, '')).filter(name => !applied.has(name));
  return names.sort((a, b) => order(a).localeCompare(order(b)));
}

function order(name: string): string {
  return name.replace(/\.make$/, '.1').replace(/\.drop$/, '.2');
}

async function applyStatement(connection: Kysely<Database>, statement: string): Promise<void> {
  const [, index, table] = /^create index concurrently if not exists (\w+)\s+on (\w+)/m.exec(statement) ?? [];
  for (;;) {
    try {
      if (index === undefined || table === undefined) {
        await sql.raw(statement).execute(connection);
        return;
      }
      if (await isValid(connection, index)) return;
      if (!(await isBeingBuilt(connection))) {
        await dropInvalid(connection, index, table);
        await sql.raw(statement).execute(connection);
        continue;
      }
    } catch (error) {
      if (!isInTheWay(error)) throw error;
    }
    await sleep(retryMs);
  }
}

async function isValid(connection: Kysely<Database>, index: string): Promise<boolean> {
  const { rows } = await sql`
    select from pg_index where indexrelid = to_regclass(${index}) and indisvalid`.execute(connection);
  return rows.length > 0;
}

// To wait for it with a statement would make it wait for that statement's snapshot.
async function isBeingBuilt(connection: Kysely<Database>): Promise<boolean> {
  const { rows } = await sql`
    select from pg_stat_progress_create_index where datname = current_database()`.execute(connection);
  return rows.length > 0;
}

/** What is left of an index whose building was interrupted. Under the lock that building takes, it is nobody's. */
async function dropInvalid(connection: Kysely<Database>, index: string, table: string): Promise<void> {
  await connection.transaction().execute(async tx => {
    await sql`set local lock_timeout = '2s'`.execute(tx);
    await sql`lock table ${sql.ref(table)} in share update exclusive mode`.execute(tx);
    if (!(await isValid(tx, index))) await sql`drop index if exists ${sql.ref(index)}`.execute(tx);
  });
}

/** Whether others hold a lock, wait for ours, or have just dropped or changed what was to be dropped: it will pass. */
function isInTheWay(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  // PostgreSQL has no code for the last one.
  return ['55P03', '40P01', '42704'].includes(code) || /^tuple concurrently (updated|deleted)/.test(message);
}
