import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAudit } from '../../src/audit/verify.ts';
import { insertCollection } from '../../src/db/collections.ts';
import { inPipeline } from '../../src/db/pipeline.ts';
import type { VersionEnds } from '../../src/db/versions.ts';
import { toInstant } from '../../src/stix/timestamp.ts';
import type { TlpLevel } from '../../src/stix/tlp.ts';
import { admit, type JudgedEnvelope } from '../../src/taxii/admission.ts';
import type { Judged } from '../../src/taxii/judging.ts';
import { toMicros } from '../../src/taxii/timestamp.ts';
import { isEnd } from '../../src/taxii/version-ends.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function createCollection(): Promise<string> {
  const id = randomUUID();
  const row = { id, alias: id, api_root: 'hub', title: 'Test', description: null, tlp_max: 3 as TlpLevel };
  await insertCollection(database.db, row);
  return id;
}

/** What may come: few ids in few versions, so that nearly everything meets something that is there or before it. */
const element = fc.record({
  id: fc.constantFrom<string>('indicator--a', 'indicator--A', 'indicator--b', 'indicator--B', 'indicator--c'),
  day: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  content: fc.integer({ min: 1, max: 2 }),
  space: fc.constantFrom('', ' '),
  tlp: fc.constantFrom<TlpLevel | undefined>(undefined, 0, 1, 3, 4),
  padding: fc.constantFrom(0, 0, 0, 300),
  isRefused: fc.nat({ max: 9 }).map(n => n === 0),
});
const envelope = fc.record({
  partner: fc.integer({ min: 1, max: 3 }),
  elements: fc.array(element, { minLength: 1, maxLength: 5 }),
});
type Drawn = { partner: number; elements: (typeof element extends fc.Arbitrary<infer One> ? One : never)[] };

function judge({ id, day, content, space, tlp, padding, isRefused }: Drawn['elements'][number]): Judged {
  if (isRefused) return { result: 'refused', id, version: 'unknown', message: 'was refused before' };
  const versionText = day === undefined ? undefined : `2026-06-0${day}T00:00:00.000Z`;
  const object = { id, ...(versionText && { modified: versionText }), content, padding: 'x'.repeat(padding) };
  const bytes = Buffer.from(JSON.stringify(object, null, space));
  return { id, type: 'indicator', specVersion: '2.1', versionText, tlp, bytes };
}

function toEnvelope({ partner, elements }: Drawn, n: number): JudgedEnvelope {
  const name = `partner-${partner}`;
  const sender = { partnerId: String(partner), partner: name, actor: { name, requestId: `request-${n}` } };
  return { sender: { ...sender, quotaBytes: 600 * partner }, judged: elements.map(judge) };
}

/** All that is written, but for the dates themselves: objects without a version of their own have the date for one. */
async function readAll(collectionId: string) {
  const { rows: versions } = await sql<Record<string, unknown> & { date_added: string; version_text: string }>`
    select * from object_version where collection_id = ${collectionId} order by date_added`.execute(database.db);
  const { rows: storage } = await sql`
    select partner_id, bytes from storage where collection_id = ${collectionId} order by partner_id`.execute(
    database.db,
  );
  const { rows: audit } = await sql<{ date_added_first: string; date_added_last: string }>`
    select seq, actor, request_id, action, subject, details, date_added_first, date_added_last
    from audit where chain = ${collectionId} order by seq`.execute(database.db);
  const { rows: collections } = await sql<{ tlp_held: number; date_added_last: string }>`
    select tlp_held, date_added_last from collection where id = ${collectionId}`.execute(database.db);
  const ordinals = new Map(versions.map(({ date_added }, index) => [date_added, index]));
  return {
    versions: versions.map(({ collection_id: _, date_added: __, version, version_text, ...row }) => {
      const isOwn = version_text.startsWith('2026-06-0');
      // Of a version that is neither the first nor the last for anybody, the ends are of no matter.
      const isOld = !isEnd(row as unknown as VersionEnds);
      return { ...row, ...(isOwn && { version, version_text }), ...(isOld && { first_below: 0, last_below: 0 }) };
    }),
    storage,
    // Which versions a row tells of.
    audit: audit.map(({ date_added_first: first, date_added_last: last, ...row }) => {
      return { ...row, first: ordinals.get(first), last: ordinals.get(last) };
    }),
    levels: collections[0]?.tlp_held,
    dates: [...versions.map(row => row.date_added), collections[0]?.date_added_last as string],
    ends: audit.flatMap(({ date_added_last }) => date_added_last ?? []),
  };
}

describe('envelopes that share a transaction', () => {
  it('become what they would have become one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(envelope, { maxLength: 3 }),
        fc.array(envelope, { maxLength: 8 }),
        async (held, sent) => {
          const [together, alone] = [await createCollection(), await createCollection()];
          const admitAll = (collectionId: string, envelopes: JudgedEnvelope[]) =>
            inPipeline(database.db, tx => admit(tx, collectionId, envelopes));
          const admitEach = async (collectionId: string, envelopes: JudgedEnvelope[]) => {
            const each = [];
            for (const one of envelopes) each.push(...(await admitAll(collectionId, [one])).outcomes);
            return each;
          };
          for (const collectionId of [together, alone]) await admitEach(collectionId, held.map(toEnvelope));
          const envelopes = sent.map(toEnvelope);
          const { outcomes } = envelopes.length > 0 ? await admitAll(together, envelopes) : { outcomes: [] };
          const withoutArrivals = (all: typeof outcomes) =>
            all.map(each =>
              each.map(one => ({ ...one, version: one.version.replace(/^(?!2026-06-0|unknown).*/, 'arrival') })),
            );
          expect(withoutArrivals(outcomes)).toEqual(withoutArrivals(await admitEach(alone, envelopes)));

          const { dates, ends, ...written } = await readAll(together);
          const { dates: _, ends: __, ...expected } = await readAll(alone);
          expect(written).toEqual(expected);
          // Dates rise, the collection's is the last one, and each envelope ends on a whole millisecond.
          expect(dates).toEqual([...dates].sort());
          expect(new Set(dates).size).toBe(Math.max(1, dates.length - 1));
          for (const end of ends) expect(toMicros(end) % 1000n).toBe(0n);
        },
      ),
      { numRuns: 60 },
    );
    const { faults, rows } = await database.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(tx => verifyAudit(tx, { noted: [] }));
    expect(faults).toEqual([]);
    expect(rows).toBeGreaterThan(100);
  });
});

describe('an envelope that is read and written in pieces', () => {
  it('becomes what it would have become in small ones', { timeout: 60_000 }, async () => {
    const drawn = fc.sample(element, 2600).map((one, n) => {
      const id = `${one.id}${n % 5 === 0 ? n % 40 : n % 700}`;
      return judge({ ...one, id });
    });
    const sender = { partnerId: '1', partner: 'partner-1', actor: { name: 'partner-1' } };
    const [whole, cut] = [await createCollection(), await createCollection()];
    const add = async (collectionId: string, judged: Judged[]) => {
      const { outcomes } = await inPipeline(database.db, tx => admit(tx, collectionId, [{ sender, judged }]));
      return outcomes
        .flat()
        .map(one => ({ ...one, version: one.version.replace(/^(?!2026-06-0|unknown).*/, 'arrival') }));
    };
    for (const judged of [drawn.filter((_, n) => n % 3 === 0), drawn]) {
      const outcomes = await add(whole, judged);
      const others = [];
      for (let at = 0; at < judged.length; at += 100) others.push(...(await add(cut, judged.slice(at, at + 100))));
      expect(outcomes).toEqual(others);
    }
    const { versions, storage, levels } = await readAll(whole);
    const expected = await readAll(cut);
    expect({ versions, storage, levels }).toEqual({
      versions: expected.versions,
      storage: expected.storage,
      levels: expected.levels,
    });
    expect(versions.length).toBeGreaterThan(1000);
  });
});

describe('what is written along with an envelope', () => {
  it('takes the envelope with it where it cannot be made, with all its pieces', async () => {
    const collectionId = await createCollection();
    const judged = Array.from({ length: 1200 }, (_, n) =>
      judge({ id: `indicator--${n}`, day: 1, content: 1, space: '', tlp: undefined, padding: 0, isRefused: false }),
    );
    const sender = { partnerId: '1', partner: 'partner-1', actor: { name: 'partner-1' } };
    const adding = inPipeline(database.db, tx =>
      admit(tx, collectionId, [{ sender, judged }], async () => {
        throw new Error('cannot be made');
      }),
    );
    await expect(adding).rejects.toThrow('cannot be made');
    const { versions, storage, audit } = await readAll(collectionId);
    expect({ versions, storage, audit }).toEqual({ versions: [], storage: [], audit: [] });
  });
});

describe('an object without a version of its own', () => {
  it('gets the time at which its envelope came, after all that came before it', async () => {
    const collectionId = await createCollection();
    const unversioned = (n: number) => ['a', 'b'].map(id => ({ ...plain, id: `indicator--${n}${id}` }));
    const plain = {
      day: undefined,
      content: 1,
      space: '' as const,
      tlp: undefined,
      padding: 0 as const,
      isRefused: false,
    };
    const group = (from: number) =>
      [0, 1, 2].map(n => toEnvelope({ partner: n + 1, elements: unversioned(from + n) }, n));
    for (const from of [0, 3]) {
      const envelopes = group(from);
      await inPipeline(database.db, tx => admit(tx, collectionId, envelopes));
    }
    const { rows } = await sql<{ date_added: string; version: string; version_text: string }>`
      select date_added, version, version_text from object_version where collection_id = ${collectionId}
      order by date_added`.execute(database.db);
    expect(rows).toHaveLength(12);
    for (const [index, { version, version_text, date_added }] of rows.entries()) {
      const before = rows[index - (index % 2) - 1];
      expect(version_text).toBe(`${version}Z`);
      expect(version <= toInstant(date_added)).toBe(true);
      expect(version).toBe(rows[index - (index % 2)]?.version);
      if (!before) continue;
      // Within a transaction, exactly where the envelope before it ended.
      if (index !== 6 && index !== 7) expect(version).toBe(toInstant(before.date_added));
      else expect(version >= toInstant(before.date_added)).toBe(true);
    }
  });
});
