import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allOver, inPipeline, keepBusy } from '../../src/db/pipeline.ts';
import { type Db, openDatabase, type Tx } from '../../src/db/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createTestDatabase();
  db = database.db;
  await sql`create table noted (n integer primary key)`.execute(db);
});
beforeEach(async () => {
  await sql`truncate noted`.execute(db);
});
afterAll(() => database.drop());

const note = (tx: Tx, n: number) => sql`insert into noted values (${n})`.execute(tx);

async function readNoted(tx: Db = db): Promise<number[]> {
  const { rows } = await sql<{ n: number }>`select n from noted order by n`.execute(tx);
  return rows.map(({ n }) => n);
}

describe('inPipeline', () => {
  it('executes statements in the order in which they are sent, and commits them together', async () => {
    const [, before, , after] = await inPipeline(db, tx =>
      allOver(note(tx, 1), readNoted(tx), note(tx, 2), readNoted(tx)),
    );
    expect([before, after]).toEqual([[1], [1, 2]]);
    expect(await readNoted()).toEqual([1, 2]);
  });

  it('tells the failure that others follow from, keeps nothing, and leaves a connection that works', async () => {
    const running = inPipeline(db, tx => allOver(note(tx, 1), sql`select 1 / 0`.execute(tx), note(tx, 2)));
    await expect(running).rejects.toThrow('division by zero');
    expect(await readNoted()).toEqual([]);
  });

  it('keeps nothing where the work fails beside its statements', async () => {
    const running = inPipeline(db, tx => allOver(note(tx, 1), Promise.reject(new Error('not made'))));
    await expect(running).rejects.toThrow('not made');
    expect(await readNoted()).toEqual([]);
  });

  it('keeps nothing where a failure was passed over, or not waited for', async () => {
    const passedOver = inPipeline(db, async tx => {
      await note(tx, 1);
      await sql`select 1 / 0`.execute(tx).catch(() => undefined);
    });
    await expect(passedOver).rejects.toThrow('division by zero');
    const notWaitedFor = inPipeline(db, async tx => {
      await note(tx, 1);
      void note(tx, 2);
    });
    await expect(notWaitedFor).rejects.toThrow('ended before its statements');
    expect(await readNoted()).toEqual([]);
  });

  it('refuses a statement that comes when the transaction has ended', async () => {
    let late: Promise<unknown> | undefined;
    await inPipeline(db, async tx => {
      await note(tx, 1);
      late = new Promise(resolve => setTimeout(resolve, 100)).then(() => note(tx, 2));
      late.catch(() => undefined);
    });
    await expect(late).rejects.toThrow('after the end of its transaction');
    expect(await readNoted()).toEqual([1]);
  });

  it('has a connection plan a statement once, but for one that others share', async () => {
    const countPlans = async (db: Db) => {
      for (const n of [1, 2, 3]) await inPipeline(db, tx => note(tx, n));
      await sql`truncate noted`.execute(db);
      return inPipeline(db, async tx => {
        await note(tx, 4);
        const { rows } = await sql`select from pg_prepared_statements where statement like 'insert%'`.execute(tx);
        return rows.length;
      });
    };
    expect(await countPlans(db)).toBe(1);
    await sql`truncate noted`.execute(db);
    const shared = openDatabase({
      connection: database.connection,
      connectionsMax: 1,
      isPooled: true,
      onError: () => {},
    });
    expect(await countPlans(shared)).toBe(0);
    await shared.destroy();
  });

  it('goes on where a statement could not be planned the first time', async () => {
    const add = (tx: Tx, n: number) => sql`insert into noted select ${n}::integer`.execute(tx);
    const fail = (tx: Tx) => allOver(sql`select 1 / ${0}::integer`.execute(tx), add(tx, 1), add(tx, 2));
    await expect(inPipeline(db, fail)).rejects.toThrow('division by zero');
    await inPipeline(db, tx => allOver(add(tx, 1), add(tx, 2)));
    expect(await readNoted()).toEqual([1, 2]);
  });

  it('fails where the connection is lost, and leaves the pool to go on', async () => {
    const running = inPipeline(db, tx =>
      allOver(note(tx, 1), sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx), note(tx, 2)),
    );
    await expect(running).rejects.toThrow(/terminat|EPIPE|ECONNRESET/);
    expect(await readNoted()).toEqual([]);
  });
});

describe('keepBusy', () => {
  it('has two of its statements under way, and the next one sent when the first of them is over', async () => {
    let underWay = 0;
    let most = 0;
    const send = (tx: Tx) => async (n: number) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await note(tx, n);
      underWay -= 1;
    };
    await inPipeline(db, async tx => (await keepBusy([1, 2, 3, 4, 5, 6], send(tx))).done);
    expect(most).toBe(2);
    expect(await readNoted()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('tells the first failure, however many follow before it is waited for', async () => {
    const running = inPipeline(db, async tx => {
      const { done } = await keepBusy([1, 2, 2, 3, 4], n => note(tx, n));
      await new Promise(resolve => setTimeout(resolve, 50));
      return done;
    });
    await expect(running).rejects.toThrow(/duplicate key/);
    expect(await readNoted()).toEqual([]);
  });
});
