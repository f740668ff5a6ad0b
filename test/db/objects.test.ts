import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { insertCollection, lockCollection } from '../../src/db/collections.ts';
import { everything, type ObjectFilter, pageObjects } from '../../src/db/objects.ts';
import { deleteVersions } from '../../src/db/versions.ts';
import { tlpLevels } from '../../src/stix/tlp.ts';
import { admit } from '../../src/taxii/admission.ts';
import { toVersionSelector } from '../../src/taxii/filter.ts';
import type { Judged } from '../../src/taxii/judging.ts';
import { beginning, end } from '../../src/taxii/timestamp.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let made = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function createCollection(): Promise<string> {
  const id = `5b6d0d1c-1c1a-4b59-9c1e-${String(++made).padStart(12, '0')}`;
  await insertCollection(database.db, { id, alias: `c${made}`, api_root: 'hub', title: 'C', description: null });
  return id;
}

const idOf = (object: number) => `indicator--11111111-1111-4111-8111-00000000000${object}`;
const versionText = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
const candidate = (object: number, day: number): Judged => ({
  id: idOf(object),
  type: 'indicator',
  specVersion: '2.1',
  versionText: versionText(day),
  tlp: undefined,
  bytes: Buffer.from(JSON.stringify({ id: idOf(object), day })),
});
const readAll = async (collection: string, filter: ObjectFilter) => {
  const { pieces, ...page } = await pageObjects(database.db, collection, everything, filter, {
    after: beginning,
    until: end,
    levels: tlpLevels,
    objectsMax: 10_000,
    bytesMax: 1e9,
  });
  return { ...page, objects: JSON.parse(`[${Buffer.concat(pieces)}]`) };
};

type Step =
  | { kind: 'add'; partner: number; versions: [number, number][] }
  | { kind: 'delete'; partner: number; object: number; version: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    partner: fc.integer({ min: 1, max: 2 }),
    versions: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 })), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  fc.record({
    kind: fc.constant('delete' as const),
    partner: fc.integer({ min: 1, max: 2 }),
    object: fc.integer({ min: 1, max: 3 }),
    version: fc.constantFrom('all', 'first', 'last', versionText(3)),
  }),
);

describe('any sequence of additions and deletions', () => {
  it('keeps first, last, owner and order as a plain model of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        const collection = await createCollection();
        let model: { object: number; day: number; partner: number }[] = [];
        const ofObject = (object: number) => model.filter(one => one.object === object);
        const ends = (object: number) => {
          const days = ofObject(object).map(one => one.day);
          return { first: Math.min(...days), last: Math.max(...days) };
        };

        for (const one of steps) {
          if (one.kind === 'add') {
            const sender = { partnerId: String(one.partner), partner: `partner-${one.partner}`, actor: operator };
            const judged = one.versions.map(([object, day]) => candidate(object, day));
            const { outcomes } = await database.db
              .transaction()
              .execute(tx => admit(tx, collection, [{ sender, judged }]));
            const expected = one.versions.map(([object, day]) => {
              if (ofObject(object).some(held => held.day === day)) return 'present';
              if (ofObject(object).some(held => held.partner !== one.partner)) return 'refused';
              model.push({ object, day, partner: one.partner });
              return 'added';
            });
            expect(outcomes.flat().map(outcome => outcome.result)).toEqual(expected);
          } else {
            const versions = toVersionSelector([one.version]);
            const deleted = await database.db.transaction().execute(async tx => {
              await lockCollection(tx, collection);
              return deleteVersions(tx, collection, idOf(one.object), { addedBy: String(one.partner), versions });
            });
            const { first, last } = ends(one.object);
            const kept = model.filter(held => {
              if (held.object !== one.object || held.partner !== one.partner) return true;
              if (versions.all) return false;
              return versions.first ? held.day !== first : versions.last ? held.day !== last : held.day !== 3;
            });
            expect(deleted.versions).toBe(model.length - kept.length);
            model = kept;
          }
        }

        const expected = (held: typeof model) =>
          held.map(one => JSON.parse((candidate(one.object, one.day) as { bytes: Buffer }).bytes.toString()));
        const all = await readAll(collection, { versions: toVersionSelector(['all']) });
        expect(all.objects).toEqual(expected(model));
        expect(all.dates.reduce((count, run) => count + run.last - run.first + 1, 0)).toBe(model.length);
        const last = await readAll(collection, { versions: toVersionSelector(['last']) });
        expect(last.objects).toEqual(expected(model.filter(one => one.day === ends(one.object).last)));
        const first = await readAll(collection, { versions: toVersionSelector(['first']), types: ['indicator'] });
        expect(first.objects).toEqual(expected(model.filter(one => one.day === ends(one.object).first)));
      }),
      { numRuns: 60 },
    );
  });
});
