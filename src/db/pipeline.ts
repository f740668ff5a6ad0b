import { type DatabaseConnection, sql, Transaction } from 'kysely';
import type pg from 'pg';
import { Turn } from '../taxii/turns.ts';
import { type Db, poolOf, type Tx } from './pool.ts';
import type { Database } from './schema.ts';

/**
 * Runs work in a transaction in which each statement is sent at once, without waiting for the answers to those before it.
 * PostgreSQL executes them in this order, and need not wait for this process in between. Once one has failed, so do all
 * that follow. Each connection plans each of them once, so that they must have few forms.
 * @param work must not end before everything that it has begun: see allOver
 */
export async function inPipeline<Result>(db: Db, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  const { pool, planName } = poolOf(db);
  const client = await pool.connect();
  try {
    return await runInPipeline(db, toConnection(client, planName), work);
  } finally {
    client.release();
  }
}

/** A client as kysely has it, which would not name statements. */
function toConnection(client: pg.PoolClient, planName: (text: string) => string | undefined): DatabaseConnection {
  return {
    async executeQuery({ sql: text, parameters: values }) {
      // Without values it is one that begins or ends a transaction.
      const name = values.length > 0 ? planName(text) : undefined;
      const { rows, rowCount } = await client.query({ text, values: [...values], ...(name !== undefined && { name }) });
      return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
    },
    streamQuery() {
      throw new Error('a pipeline has no streams');
    },
  };
}

async function runInPipeline<Result>(
  db: Db,
  connection: DatabaseConnection,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const sent = { underWay: 0, isOver: false, failures: [] as unknown[] };
  // In a transaction of kysely's own one statement waits for the other.
  const executor = db.getExecutor().withConnectionProvider({
    provideConnection: async send => {
      if (sent.isOver) throw new Error('a statement came after the end of its transaction');
      sent.underWay += 1;
      try {
        return await send(connection);
      } catch (error) {
        sent.failures.push(error);
        throw error;
      } finally {
        sent.underWay -= 1;
      }
    },
  });
  const tx = new Transaction<Database>({ executor, config: unused, driver: unused, dialect: unused });
  // Nothing is sent along with these two. What came after a begin that failed would be kept, and a commit after a
  // statement that failed keeps nothing, without an error.
  await sql`begin isolation level read committed`.execute(tx);
  try {
    const result = await work(tx);
    if (sent.underWay > 0) throw new Error('a transaction ended before its statements');
    if (sent.failures.length > 0) throw sent.failures[0];
    await sql`commit`.execute(tx);
    return result;
  } catch (error) {
    // Where the connection is lost, so is the transaction.
    await sql`rollback`.execute(tx).catch(() => undefined);
    throw error;
  } finally {
    sent.isOver = true;
  }
}

// What a transaction could begin others with.
const unused = {} as never;

/** Waits for all of these, also where one fails: none may go on when its transaction has ended. @throws what the first one does */
export async function allOver<Results extends unknown[]>(
  ...running: { [Index in keyof Results]: Promise<Results[Index]> }
): Promise<Results> {
  await Promise.allSettled(running);
  return Promise.all(running) as Promise<Results>;
}

/**
 * Sends statements in their order so that PostgreSQL always has the next one at hand, and few of them are in memory.
 * @param send makes and executes the statement for an item
 * @returns once the last one is sent: what waits for all of them, and throws what the first one that fails does
 */
export async function keepBusy<Item>(
  items: Iterable<Item>,
  send: (item: Item) => Promise<unknown>,
): Promise<{ done: Promise<unknown> }> {
  const turn = new Turn({ isFirst: true });
  const sent: Promise<unknown>[] = [];
  for (const item of items) {
    await Promise.allSettled(sent.slice(-2, -1));
    if (turn.isOver()) await turn.next();
    sent.push(toldLater(send(item)));
  }
  return { done: toldLater(allOver(...sent)) };
}

/** @returns the same promise: what it fails with before it is waited for does not end the process */
function toldLater(promise: Promise<unknown>): Promise<unknown> {
  promise.catch(() => undefined);
  return promise;
}
