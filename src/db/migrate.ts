import { readdir, readFile } from 'node:fs/promises';
import { type Migration, type MigrationProvider, Migrator, sql } from 'kysely';
import { OperatorError } from '../errors.ts';
import { applyConcurrently } from './concurrently.ts';
import type { Db } from './pool.ts';

const folder = new URL('../../migrations/', import.meta.url);

/**
 * Brings the database to the newest schema: plain SQL files, forward only, all in one transaction. Safe when several
 * nodes start at once (kysely's Migrator takes a lock). Where objects are stored already, what takes long is left to
 * applyConcurrently.
 * @param options `upTo`: the name of the last one to apply; all of them where it is left out
 * @returns the names of the migrations that were applied now
 * @throws OperatorError where the database was migrated by a newer Taxiway
 */
export async function migrate(db: Db, { upTo }: { upTo?: string } = {}): Promise<string[]> {
  const migrator = createMigrator(db);
  const { error, results } = await (upTo ? migrator.migrateTo(upTo) : migrator.migrateToLatest());
  if (error) throw asOperatorError(error);
  if (!upTo && (await isEmpty(db))) await applyConcurrently(db, ['make', 'drop']);
  return (results ?? []).filter(result => result.status === 'Success').map(result => result.migrationName);
}

/** Whether every migration of this version of Taxiway has been applied. */
export async function isMigrated(db: Db): Promise<boolean> {
  const migrations = await createMigrator(db).getMigrations();
  return migrations.every(migration => migration.executedAt !== undefined);
}

async function isEmpty(db: Db): Promise<boolean> {
  const { rows } = await sql`select from object_version limit 1`.execute(db);
  return rows.length === 0;
}

function createMigrator(db: Db): Migrator {
  return new Migrator({ db, provider: sqlFiles });
}

const sqlFiles: MigrationProvider = {
  async getMigrations() {
    const migrations: Record<string, Migration> = {};
    for (const file of (await readdir(folder)).filter(name => name.endsWith('.sql'))) {
      const text = await readFile(new URL(file, folder), 'utf8');
      migrations[file.replace(/\.sql$/, '')] = {
        up: async trx => {
          // What rewrites a large table takes longer than any request may.
          await sql`set local statement_timeout = 0`.execute(trx);
          await sql.raw(text).execute(trx);
        },
      };
    }
    return migrations;
  },
};

function asOperatorError(error: unknown): unknown {
  if (error instanceof Error && /previously executed migration .* is missing/.test(error.message)) {
    return new OperatorError('This database was migrated by a newer Taxiway. Start that version, or restore a backup.');
  }
  return error;
}
