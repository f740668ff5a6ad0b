import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAudit } from '../../src/audit/verify.ts';
import { appendAudit, appendToChain, hashAuditRow, lockChain, startChain } from '../../src/db/audit.ts';
import { writeTogether } from '../../src/db/together.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const actor = { name: 'bank', token: 'jti-1', requestId: 'request-1' };

/** As docs/audit.md describes the hash, said by PostgreSQL. */
async function countOtherHashes(): Promise<number> {
  const toText = (column: string) =>
    sql`coalesce(to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '')`;
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from (
      select hash, sha256(convert_to(concat_ws(E'\n',
        coalesce(encode(lag(hash) over (partition by chain order by seq), 'hex'), ''), chain, seq, ${toText('at')}, actor, token,
        request_id, action, subject, details, ${toText('date_added_first')}, ${toText('date_added_last')}), 'UTF8')) as expected
      from audit
    ) row where hash <> expected`.execute(database.db);
  return rows[0]?.count as number;
}

describe('the hash of a row', () => {
  it('is what it was in the first hub that wrote one', () => {
    // printf '%s\n…' | sha256sum, without the last line feed.
    const row = {
      chain: 'hub',
      seq: '2',
      at: '2026-03-01T12:00:00.123456Z',
      actor: 'operator',
      token: '',
      request_id: '',
      action: 'partner-added',
      subject: 'médor',
      details: '{}',
      date_added_first: null,
      date_added_last: null,
    };
    expect(hashAuditRow('00ff', row)).toBe('b9551e9505ed555d28e15d76b1d3620d9accbf8c9bb35a98c5ed0e62f495a7a8');
  });

  it('is the same when PostgreSQL makes it, for any text and with dates or without', async () => {
    await database.db.transaction().execute(async tx => {
      const head = await startChain(tx, 'alpha');
      const dates = { first: '2026-03-01T12:00:00.100000Z', last: '2026-03-01T12:00:00.123456Z' };
      const entries = [
        { actor, action: 'objects-added', subject: 'bank', details: { added: 2 }, dates },
        {
          actor: { name: 'operator' },
          action: 'a',
          subject: '不正 «é» \u{1F600}',
          details: { text: '"\\ \n \u0001 é' },
        },
        { actor, action: 'objects-refused', subject: 'bank' },
      ];
      await writeTogether(tx, appendToChain('alpha', head, entries));
    });
    await database.db
      .transaction()
      .execute(tx => appendAudit(tx, actor, { chain: 'alpha', action: 'b', subject: 's' }));
    expect(await countOtherHashes()).toBe(0);
  });
});

describe('a chain', () => {
  it('that many begin and continue at once has no gap and no fork', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        database.db
          .transaction()
          .execute(tx => appendAudit(tx, actor, { chain: 'beta', action: 'tried', subject: String(n) })),
      ),
    );
    const verified = await database.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(tx => verifyAudit(tx, { noted: [] }));
    expect(verified.faults).toEqual([]);
    expect(verified.heads.find(head => head.chain === 'beta')?.seq).toBe(20n);
    expect(await countOtherHashes()).toBe(0);
  });

  it('that a transaction has locked waits for its end', async () => {
    const order: string[] = [];
    let appending: Promise<unknown> = Promise.resolve();
    await database.db.transaction().execute(async tx => {
      await lockChain('beta').execute(tx);
      appending = database.db
        .transaction()
        .execute(other => appendAudit(other, actor, { chain: 'beta', action: 'tried', subject: 'waits' }))
        .then(() => order.push('appended'));
      const waits = async () =>
        (await sql`select from pg_stat_activity where wait_event_type = 'Lock'`.execute(tx)).rows.length;
      await expect.poll(waits, { timeout: 10_000 }).toBe(1);
      order.push('released');
    });
    await appending;
    expect(order).toEqual(['released', 'appended']);
  });
});
