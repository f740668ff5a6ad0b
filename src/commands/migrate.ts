import { applyConcurrently } from '../db/concurrently.ts';
import { connect } from '../db/connect.ts';
import { openDatabase } from '../db/pool.ts';
import { describeCommand, printResult, readConfig } from './command.ts';

export const migrateCommand = () =>
  describeCommand('migrate', 'prepare the database for this version; harmless when it is').action(async options => {
    const log = (message: string) => process.stderr.write(`${message}\n`);
    const database = await connect(readConfig(), { log, migrations: 'apply' });
    const { connection } = database;
    const direct = openDatabase({ connection, connectionsMax: 1, onError: error => log(error.message) });
    const applied = [...database.applied];
    try {
      // Nodes of the version before may go on: what only they need is dropped by the first node of this one.
      applied.push(...(await applyConcurrently(direct, ['make'])));
    } finally {
      await direct.destroy();
      await database.close();
    }
    const line = applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is up to date.';
    printResult(line, { applied }, options);
  });
