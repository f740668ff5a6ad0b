import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeGrant } from '../../src/auth/grants.ts';
import { operator } from '../../src/db/audit.ts';
import type { CollectionRow } from '../../src/db/collections.ts';
import { findGrant, putGrant } from '../../src/db/grants.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { exportBundle } from '../../src/taxii/export.ts';
import { replay } from '../../src/taxii/replay.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

// The rule: a partner sees a version where its ceiling in the collection reaches the version's level, and all versions of
// what it sent itself. Nobody ever receives what it forbids, and always what it allows, by any way out. The model below
// says it once more, in the plainest words; the hub says it in SQL.

const levels = ['clear', 'green', 'amber', 'amber+strict', 'red'];
// Two definitions for most levels: of TLP 1 and of TLP 2.0.
const markings = [
  ['613f2e26-407d-48c7-9eca-b8e91df99dc9', '94868c89-83c2-464b-929b-a1a8aa3c8487'],
  ['34098fce-860f-48ae-8e50-ebd3cc5e41da', 'bab4a63c-aed9-4cf5-a766-dfca5abac2bb'],
  ['f88d31f6-486f-44da-b317-01333bde0b82', '55d920b0-5e8b-4f79-9ee9-91f868d9b421'],
  ['939a9414-2ddd-4d32-a0cd-375ea402b003', '826578e1-40ad-459f-bc73-ede076f81f37'],
  ['5e57c739-391a-4eb3-b6be-7d15ca92d5ed', 'e828b379-4e03-4974-9ac4-e53a884c97c1'],
].map(ids => ids.map(id => `marking-definition--${id}`));
const statement = 'marking-definition--fa42a846-8d90-4e51-bc29-71d5b4802168';
const amber = levels.indexOf('amber');

let hub: TestHub;
let partners: PartnerRow[];
let made = 0;

beforeAll(async () => {
  hub = await startTestHub();
  partners = [await hub.addPartner('alpha'), await hub.addPartner('beta'), await hub.addPartner('gamma')];
});
afterAll(() => hub.close());

/** A version that was added: in the order of the model's list, as the collection has it. */
interface Version {
  id: string;
  type: string;
  day: number;
  level: number;
  owner: number;
}

interface Marking {
  whole: number[];
  part: number | undefined;
  isTlp1: boolean;
}

const anyLevel = fc.integer({ min: 0, max: 4 });
const anyMarking: fc.Arbitrary<Marking> = fc.record({
  whole: fc.array(anyLevel, { maxLength: 2 }),
  part: fc.option(anyLevel, { nil: undefined, freq: 4 }),
  isTlp1: fc.boolean(),
});
const addition = fc.record({
  object: fc.integer({ min: 0, max: 5 }),
  day: fc.integer({ min: 1, max: 6 }),
  marking: anyMarking,
});
const partner = fc.integer({ min: 0, max: 2 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      partner,
      additions: fc.array(addition, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      partner,
      object: fc.integer({ min: 0, max: 5 }),
      version: fc.constantFrom('all', 'first', 'last'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), partner, ceiling: anyLevel }) },
);

const typeOf = (object: number) => (object % 2 === 0 ? 'indicator' : 'x-sighting-of-ship');
const idOf = (object: number) => `${typeOf(object)}--22222222-2222-4222-8222-00000000000${object}`;
const dateOf = (day: number) => `2026-02-0${day}T00:00:00.000Z`;
const levelOf = ({ whole, part }: Marking, fallback: number) => {
  const all = part === undefined ? whole : [...whole, part];
  return all.length > 0 ? Math.max(...all) : fallback;
};

function toObject({ object, day, marking }: { object: number; day: number; marking: Marking }) {
  const idFor = (level: number) => markings[level]?.[marking.isTlp1 ? 0 : 1];
  const refs = [...new Set(marking.whole.map(idFor))];
  return indicator({
    type: typeOf(object),
    id: idOf(object),
    created: dateOf(1),
    modified: dateOf(day),
    // Another marking than TLP says nothing of the level.
    object_marking_refs: [statement, ...refs],
    ...(marking.part !== undefined && {
      granular_markings: [{ marking_ref: idFor(marking.part), selectors: ['name'] }],
    }),
  });
}

/** What one partner may see of what there is. */
function visibleTo(reader: number, ceiling: number, held: Version[]): Version[] {
  return held.filter(one => one.owner === reader || one.level <= ceiling);
}

function pick(versions: Version[], which: string): Version[] {
  const days = (id: string) => versions.filter(one => one.id === id).map(one => one.day);
  if (which === 'last') return versions.filter(one => one.day === Math.max(...days(one.id)));
  if (which === 'first') return versions.filter(one => one.day === Math.min(...days(one.id)));
  return which === 'all' ? versions : versions.filter(one => dateOf(one.day) === which);
}

const nameOf = ({ id, day }: Version) => `${id} ${dateOf(day)}`;
const choices = ['last', 'first', 'all', dateOf(3)];

class Scene {
  readonly held: Version[] = [];
  readonly ceilings = [amber, amber, amber];
  readonly tokens: string[] = [];

  readonly collection: CollectionRow;
  /** the level of objects without a TLP marking */
  readonly unmarked: number;

  private constructor(collection: CollectionRow, unmarked: number) {
    this.collection = collection;
    this.unmarked = unmarked;
  }

  static async create(unmarked: number): Promise<Scene> {
    const alias = `scene-${++made}`;
    const scene = new Scene(await hub.addCollection({ alias, tlp_default: unmarked }), unmarked);
    const scope = `collection:${alias}:read collection:${alias}:write`;
    for (const one of partners) scene.tokens.push(await hub.tokenFor(one, scope));
    return scene;
  }

  get path(): string {
    return `/hub/collections/${this.collection.alias}`;
  }

  /** Does a step through the API, and in the model. */
  async take(one: typeof step extends fc.Arbitrary<infer Step> ? Step : never): Promise<void> {
    const token = this.tokens[one.partner] as string;
    if (one.kind === 'grant') {
      const { can_read, can_write } = { can_read: true, can_write: true };
      await putGrant(hub.hub.db, partners[one.partner]?.id as string, this.collection.id, {
        can_read,
        can_write,
        tlp_ceiling: one.ceiling,
      });
      this.ceilings[one.partner] = one.ceiling;
    } else if (one.kind === 'delete') {
      const id = idOf(one.object);
      const meant = pick(
        this.held.filter(version => version.id === id && version.owner === one.partner),
        one.version,
      );
      const answer = await hub.request(token, {
        method: 'DELETE',
        url: `${this.path}/objects/${id}/?match[version]=${one.version}`,
      });
      expect(answer.statusCode).toBe(meant.length > 0 ? 200 : 404);
      for (const version of meant) this.held.splice(this.held.indexOf(version), 1);
    } else {
      await hub.post(token, `${this.path}/objects/`, { objects: one.additions.map(toObject) });
      for (const { object, day, marking } of one.additions) {
        const id = idOf(object);
        const others = this.held.filter(version => version.id === id);
        if (others.some(version => version.day === day || version.owner !== one.partner)) continue;
        const level = levelOf(marking, this.unmarked);
        this.held.push({ id, type: typeOf(object), day, level, owner: one.partner });
      }
    }
  }

  /** Every read operation, as every partner, against the model. */
  async checkAll(): Promise<void> {
    for (const reader of partners.keys()) {
      const visible = visibleTo(reader, this.ceilings[reader] as number, this.held);
      for (const which of choices) {
        const expected = pick(visible, which).map(nameOf);
        for (const limit of [1, 3, 1000]) {
          expect(await this.list(reader, 'objects', `match[version]=${which}&limit=${limit}`)).toEqual(expected);
        }
        expect(await this.list(reader, 'manifest', `match[version]=${which}&limit=2`)).toEqual(expected);
        const ofType = pick(visible, which).filter(one => one.type === 'indicator');
        expect(
          await this.list(reader, 'objects', `match[version]=${which}&match[type]=indicator,tool&limit=2`),
        ).toEqual(ofType.map(nameOf));
        const ids = [0, 1].map(idOf);
        const ofIds = pick(visible, which).filter(one => ids.includes(one.id));
        expect(await this.list(reader, 'objects', `match[version]=${which}&match[id]=${ids}&limit=2`)).toEqual(
          ofIds.map(nameOf),
        );
      }
      for (const object of [0, 1, 2, 3, 4, 5]) await this.checkObject(reader, object, visible);
    }
  }

  private async checkObject(reader: number, object: number, visible: Version[]): Promise<void> {
    const ofObject = visible.filter(one => one.id === idOf(object));
    const url = `objects/${idOf(object)}`;
    const token = this.tokens[reader] as string;
    if (ofObject.length === 0) {
      // As if it were not there, however many versions of it there are for others.
      const { error_id: _, ...gone } = (await hub.get(token, `${this.path}/${url}/?match[version]=all`)).json();
      const nowhere = url.replace('22222222', '33333333');
      const { error_id: __, ...never } = (await hub.get(token, `${this.path}/${nowhere}/?match[version]=all`)).json();
      expect(gone).toEqual(never);
      expect((await hub.get(token, `${this.path}/${url}/versions/`)).statusCode).toBe(404);
      return;
    }
    for (const which of choices) {
      expect(await this.list(reader, url, `match[version]=${which}&limit=1`)).toEqual(
        pick(ofObject, which).map(nameOf),
      );
    }
    expect(await this.list(reader, `${url}/versions`, 'limit=2')).toEqual(ofObject.map(one => dateOf(one.day)));
  }

  /** All pages of a list, following next, or the date of the last one where there is none (versions, TAXII 2.1 §5.8). */
  async list(reader: number, resource: string, query: string): Promise<string[]> {
    const found: string[] = [];
    for (let cursor = ''; ; ) {
      const answer = await hub.get(this.tokens[reader] as string, `${this.path}/${resource}/?${query}${cursor}`);
      expect(answer.statusCode).toBe(200);
      const { objects = [], versions = [], more, next } = answer.json();
      const names = objects.map((one: Record<string, string>) => `${one.id} ${one.modified ?? one.version}`);
      // A page is full as long as there is more: what is left out leaves no trace.
      if (more) expect(names.length + versions.length).toBe(Number(/limit=(\d+)/.exec(query)?.[1]));
      found.push(...names, ...versions);
      if (!more) return found;
      cursor = `&next=${next}`;
    }
  }
}

describe('whatever was added, marked, granted and deleted', () => {
  it('everybody receives what the rule allows, and nothing else, by every read operation', async () => {
    await fc.assert(
      fc.asyncProperty(anyLevel, fc.array(step, { minLength: 3, maxLength: 12 }), async (unmarked, steps) => {
        const scene = await Scene.create(unmarked);
        for (const one of steps) await scene.take(one);
        await scene.checkAll();
        const bundle = [];
        for await (const piece of exportBundle(hub.hub.db, scene.collection.id, 'bundle--1')) bundle.push(piece);
        expect((JSON.parse(bundle.join('')).objects ?? []).length).toBe(scene.held.length);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe('pollers', () => {
  const polling = fc.oneof(
    step.filter(one => one.kind === 'add'),
    fc.record({ kind: fc.constant('poll' as const), partner, limit: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('raise' as const), partner }),
  );

  it('get everything that they may see exactly once, when each raise of a ceiling is followed by a replay', async () => {
    await fc.assert(
      fc.asyncProperty(anyLevel, fc.array(polling, { minLength: 5, maxLength: 25 }), async (unmarked, steps) => {
        const scene = await Scene.create(unmarked);
        for (const [index, one] of partners.entries()) await setCeiling(scene, one, index, 0);
        const pollers = partners.map(() => ({ seen: [] as string[], query: '' }));

        const poll = async (index: number, limit: number) => {
          const poller = required(pollers[index]);
          const answer = await hub.get(
            scene.tokens[index] as string,
            `${scene.path}/objects/?match[version]=all&limit=${limit}${poller.query}`,
          );
          const { objects = [], next } = answer.json();
          const visible = visibleTo(index, scene.ceilings[index] as number, scene.held).map(nameOf);
          for (const { id, modified } of objects) {
            expect(visible).toContain(`${id} ${modified}`);
            poller.seen.push(`${id} ${modified}`);
          }
          const last = `&added_after=${answer.headers['x-taxii-date-added-last']}`;
          poller.query = next && limit % 2 === 0 ? `&next=${next}` : last;
          return objects.length > 0;
        };

        for (const one of steps) {
          if (one.kind === 'poll') await poll(one.partner, one.limit);
          else if (one.kind === 'add') await scene.take(one);
          else {
            const ceiling = Math.min((scene.ceilings[one.partner] as number) + 1, 4);
            await raise(scene, one.partner, ceiling);
          }
        }
        for (const index of partners.keys()) {
          while (await poll(index, 3));
          const expected = visibleTo(index, scene.ceilings[index] as number, scene.held).map(nameOf);
          expect(required(pollers[index]).seen.toSorted()).toEqual(expected.toSorted());
        }
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('miss nothing while writers commit and ceilings are raised', async () => {
    const scene = await Scene.create(amber);
    for (const [index, one] of partners.entries()) await setCeiling(scene, one, index, 0);
    const added: string[] = [];
    let isWriting = true;
    const write = async (writer: number) => {
      for (let round = 0; round < 40; round += 1) {
        const objects = [0, 1, 2, 3, 4].map(level => indicator({ object_marking_refs: [markings[level]?.[writer]] }));
        await hub.post(scene.tokens[writer] as string, `${scene.path}/objects/`, { objects });
        added.push(...objects.map(({ id }) => id));
      }
    };
    const reader = 2;
    const seen: string[] = [];
    let query = '';
    const poll = async () => {
      const answer = await hub.get(scene.tokens[reader] as string, `${scene.path}/objects/?limit=7${query}`);
      seen.push(...(answer.json().objects ?? []).map(({ id }: { id: string }) => id));
      query = `&added_after=${answer.headers['x-taxii-date-added-last']}`;
      return answer.json().objects !== undefined;
    };
    const polling = (async () => {
      while ((await poll()) || isWriting);
    })();
    const raising = (async () => {
      for (const ceiling of [1, 2, 3, 4]) await raise(scene, reader, ceiling);
    })();
    await Promise.all([write(0), write(1), raising]);
    isWriting = false;
    await polling;
    while (await poll());
    // What it has fetched between a raise and its replay comes twice.
    expect([...new Set(seen)].toSorted()).toEqual(added.toSorted());
  }, 60_000);

  async function setCeiling(scene: Scene, one: PartnerRow, index: number, tlp_ceiling: number): Promise<void> {
    await putGrant(hub.hub.db, one.id, scene.collection.id, { can_read: true, can_write: true, tlp_ceiling });
    scene.ceilings[index] = tlp_ceiling;
  }

  async function raise(scene: Scene, index: number, ceiling: number): Promise<void> {
    const [one, { id }] = [required(partners[index]), scene.collection];
    const before = required(await findGrant(hub.hub.db, one.id, id));
    await changeGrant(hub.hub.db, one, scene.collection, operator, rights => ({ ...rights, tlp_ceiling: ceiling }));
    scene.ceilings[index] = ceiling;
    const replayed = await replay(hub.hub.db, one, id, { actor: operator });
    expect(replayed !== undefined).toBe(ceiling > before.tlp_ceiling);
  }
});
