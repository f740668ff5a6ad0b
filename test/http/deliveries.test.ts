import fc from 'fast-check';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { operator } from '../../src/db/audit.ts';
import { putGrant } from '../../src/db/grants.ts';
import type { PartnerRow } from '../../src/db/partners.ts';
import { pageDeliveries } from '../../src/db/receipts.ts';
import { createHub } from '../../src/hub.ts';
import { replay } from '../../src/taxii/replay.ts';
import { beginning } from '../../src/taxii/timestamp.ts';
import { required, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { createSite, type Site, toDatabaseUrl } from '../support/process.ts';
import { type Indicator, indicator, indicators, revise } from '../support/stix.ts';

let hub: TestHub;
let site: Site;
let made = 0;

beforeAll(async () => {
  hub = await startTestHub();
  site = await createSite({ DATABASE_URL: toDatabaseUrl(hub.database.connection) });
});
afterAll(async () => {
  await site.remove();
  await hub.close();
});

const levels = [
  'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
];
const red = 4;

/** A collection of its own with a sender and two readers. */
async function createScene() {
  const n = ++made;
  const alias = `scene-${n}`;
  const collection = await hub.addCollection({ alias });
  const names = ['sender', 'one', 'two'].map(name => `${name}-${n}`);
  const partners: PartnerRow[] = [];
  const tokens: string[] = [];
  for (const name of names) {
    const partner = await hub.addPartner(name);
    partners.push(partner);
    tokens.push(await hub.tokenFor(partner, `collection:${alias}:read collection:${alias}:write`));
  }
  const url = `/hub/collections/${alias}/objects/`;
  const [sender, one, two] = tokens as [string, string, string];
  return {
    alias,
    collection,
    partners,
    tokens,
    names,
    url,
    sender,
    one,
    two,
    push: (...objects: unknown[]) => hub.post(sender, url, { objects }),
    /** what the sender is told of an object */
    ask: async (id: string, token = sender) => (await hub.get(token, `${url}${id}/deliveries/`)).json(),
    grant: (index: number, grant: { tlp_ceiling?: number; sees_partners?: boolean; can_read?: boolean }) =>
      putGrant(hub.hub.db, required(partners[index]).id, collection.id, {
        can_read: true,
        can_write: true,
        tlp_ceiling: 2,
        ...grant,
      }),
  };
}

describe('deliveries', () => {
  it('tell the sender by sector who has been handed each version, and who has not yet', async () => {
    const scene = await createScene();
    const [object, later] = [indicator(), indicator()];
    await scene.push(object);
    await hub.get(scene.one, scene.url);
    const [{ delivered_to: firstTold }] = (await scene.ask(object.id)).versions;
    await hub.get(scene.one, `${scene.url}${object.id}/`);
    await scene.push(revise(object, '2026-05-01T00:00:00.000Z'), later);
    const { id, more, versions } = await scene.ask(object.id);
    expect({ id, more }).toEqual({ id: object.id, more: false });
    expect(versions).toEqual([
      {
        version: object.modified,
        date_added: expect.any(String),
        delivered_to: [{ sector: 'finance', at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) }],
        pending: [{ sector: 'finance' }],
      },
      {
        version: '2026-05-01T00:00:00.000Z',
        date_added: expect.any(String),
        pending: [{ sector: 'finance' }, { sector: 'finance' }],
      },
    ]);
    expect(versions[0].delivered_to).toEqual(firstTold);
  });

  it('name the partners where the grant says so', async () => {
    const scene = await createScene();
    const object = indicator();
    await scene.push(object);
    await hub.get(scene.two, `${scene.url}${object.id}/`);
    await site.ok('grant', scene.names[0] as string, scene.alias, 'write', '--see-partners');
    expect((await scene.ask(object.id)).versions[0]).toMatchObject({
      delivered_to: [{ partner: scene.names[2], sector: 'finance' }],
      pending: [{ partner: scene.names[1], sector: 'finance' }],
    });
    await site.ok('grant', scene.names[0] as string, scene.alias, 'write', '--no-see-partners');
    expect((await scene.ask(object.id)).versions[0].delivered_to[0]).not.toHaveProperty('partner');
    const { code, stderr } = await site.run('grant', scene.names[0] as string, scene.alias, 'read', '--see-partners');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/belongs to the right to write/) });
  });

  it('are there for nobody but the sender', async () => {
    const scene = await createScene();
    const object = indicator();
    await scene.push(object);
    const [foreign, absent] = [await scene.ask(object.id, scene.one), await scene.ask(indicator().id, scene.one)];
    expect({ ...foreign, error_id: '' }).toEqual({ ...absent, error_id: '' });
    expect(foreign).toMatchObject({ error_code: 'object-not-found' });
  });

  it('count what was handed out: no manifest, no versions, no HEAD, no page without the object', async () => {
    const scene = await createScene();
    const [first, second] = [indicator(), indicator()];
    await scene.push(first, second);
    await hub.get(scene.one, `/hub/collections/${scene.alias}/manifest/`);
    await hub.get(scene.one, `${scene.url}${first.id}/versions/`);
    await hub.request(scene.one, { method: 'HEAD', url: scene.url });
    await hub.get(scene.one, `${scene.url}?match[type]=malware`);
    await hub.get(scene.one, `${scene.url}${first.id}/?match[version]=first&added_after=2999-01-01T00:00:00Z`);
    expect((await scene.ask(first.id)).versions[0]).not.toHaveProperty('delivered_to');
    const { next } = (await hub.get(scene.one, `${scene.url}?limit=1`)).json();
    expect((await scene.ask(first.id)).versions[0].delivered_to).toHaveLength(1);
    expect((await scene.ask(second.id)).versions[0]).not.toHaveProperty('delivered_to');
    await hub.get(scene.one, `${scene.url}?limit=1&next=${next}`);
    expect((await scene.ask(second.id)).versions[0].delivered_to).toHaveLength(1);
  });

  it('wait for those alone who may see it', async () => {
    const scene = await createScene();
    const object = indicator({ object_marking_refs: [levels[3]] });
    await scene.push(object);
    expect((await scene.ask(object.id)).versions[0]).not.toHaveProperty('pending');
    await scene.grant(1, { tlp_ceiling: 3 });
    expect((await scene.ask(object.id)).versions[0].pending).toHaveLength(1);
    await hub.get(scene.one, scene.url);
    // What was handed out stays told, whatever becomes of the grant.
    await scene.grant(1, { tlp_ceiling: 0 });
    const [version] = (await scene.ask(object.id)).versions;
    expect(version.delivered_to).toHaveLength(1);
    expect(version).not.toHaveProperty('pending');
  });

  it('still tell who got what was deleted', async () => {
    const scene = await createScene();
    const object = indicator();
    await scene.push(object);
    await hub.get(scene.one, scene.url);
    await hub.request(scene.sender, { method: 'DELETE', url: `${scene.url}${object.id}/` });
    const { versions } = await scene.ask(object.id);
    expect(versions).toEqual([
      {
        version: object.modified,
        date_added: expect.any(String),
        deleted_at: expect.any(String),
        delivered_to: [{ sector: 'finance', at: expect.any(String) }],
      },
    ]);
    // The same version once more is another delivery.
    await scene.push(object);
    expect((await scene.ask(object.id)).versions[1]).toMatchObject({ pending: [{}, {}] });
  });

  it('come in pages', async () => {
    const scene = await createScene();
    const object = indicator();
    await scene.push(...['01', '02', '03'].map(day => revise(object, `2026-04-${day}T00:00:00.000Z`)));
    const url = `${scene.url}${object.id}/deliveries/?limit=2`;
    const first = (await hub.get(scene.sender, url)).json();
    const second = (await hub.get(scene.sender, `${url}&next=${first.next}`)).json();
    expect([first.versions.length, second.versions.length, second.more]).toEqual([2, 1, false]);
  });
});

describe('a receipt', () => {
  it('that cannot be written keeps the objects from leaving', async () => {
    const scene = await createScene();
    await scene.push(indicator());
    await sql`create function refuse_receipt() returns trigger language plpgsql as $$
      begin raise exception 'disk full' using errcode = '53100'; end $$`.execute(hub.hub.db);
    await sql`create trigger no_receipts before insert or update on receipt for each row
      execute function refuse_receipt()`.execute(hub.hub.db);
    try {
      const answer = await hub.get(scene.one, scene.url);
      expect(answer.statusCode).toBe(503);
      expect(answer.body).not.toContain('indicator--');
      expect(answer.body).not.toContain('disk full');
      // What hands no object out needs none.
      expect((await hub.get(scene.one, `${scene.url}?match[type]=malware`)).statusCode).toBe(200);
    } finally {
      await sql`drop trigger no_receipts on receipt; drop function refuse_receipt()`.execute(hub.hub.db);
    }
    expect((await hub.get(scene.one, scene.url)).statusCode).toBe(200);
  });

  it('takes all that a partner is handed within a minute, and nothing twice', async () => {
    const scene = await createScene();
    const receipts = async () => {
      const { rows } = await sql<{ runs: Buffer }>`
        select runs from receipt where collection_id = ${scene.collection.id} order by id`.execute(hub.hub.db);
      return rows.map(row => row.runs);
    };
    for (let n = 0; n < 5; n += 1) {
      await scene.push(...indicators(20));
      await hub.get(scene.one, scene.url);
      await hub.get(scene.one, scene.url);
    }
    expect(await receipts()).toHaveLength(1);
    expect((await receipts())[0]).toHaveLength(5 * 16);
    await hub.get(scene.two, `${scene.url}?limit=7`);
    expect(await receipts()).toHaveLength(2);
  });

  it('is written by every node, while others read the same', async () => {
    const scene = await createScene();
    const second = await buildApp(await createHub(hub.hub.config, hub.database.open()), pino({ level: 'silent' }));
    const objects = indicators(120);
    for (let n = 0; n < 12; n += 1) await scene.push(...objects.slice(n * 10, n * 10 + 10));
    const handedOut = new Map(scene.tokens.map(token => [token, new Set<string>()]));
    const read = async (token: string, turn: number) => {
      const query = turn % 3 === 0 ? `?limit=${1 + turn}` : `?match[id]=${objects[turn]?.id},${objects[turn * 2]?.id}`;
      const answer = await [hub.app, second][turn % 2]?.inject({
        url: scene.url + query,
        headers: { accept: taxii, authorization: `Bearer ${token}` },
      });
      for (const { id } of answer?.json().objects ?? []) handedOut.get(token)?.add(id);
    };
    const turns = Array.from({ length: 45 }, (_, turn) => turn);
    await Promise.all(turns.flatMap(turn => [read(scene.one, turn), read(scene.two, turn)]));
    await second.close();
    for (const { id } of objects) {
      const expected = [1, 2].filter(index => handedOut.get(scene.tokens[index] as string)?.has(id));
      const { rows } = await pageDeliveries(hub.hub.db, scene.collection.id, { objectId: id }, anywhere);
      expect(rows[0]?.delivered.map(one => one.partner).sort()).toEqual(expected.map(index => scene.names[index]));
    }
  });
});

const anywhere = { after: beginning, objectsMax: 1000 };

describe('npx taxiway delivered', () => {
  it('tells the operator which partners have been handed which version, and which have not', async () => {
    const scene = await createScene();
    const object = indicator();
    const later = revise(object, '2026-05-01T00:00:00.000Z');
    await scene.push(object);
    await hub.get(scene.one, scene.url);
    await scene.push(later);
    const [, one, two] = scene.names;
    const rows = JSON.parse(await site.ok('delivered', object.id, '--json'));
    const told = rows.map((row: Record<string, unknown>) => [row.version, row.partner, row.handed_out !== null]);
    expect(told).toEqual([
      [object.modified, one, true],
      [object.modified, two, false],
      [later.modified, one, false],
      [later.modified, two, false],
    ]);
    const args = ['--version', '2026-05-01T00:00:00Z', '--collection', scene.alias];
    expect(JSON.parse(await site.ok('delivered', object.id, ...args, '--json'))).toHaveLength(2);
    expect(await site.ok('delivered', object.id, ...args)).toMatch(
      /^collection +version +date_added +deleted_at +partner/,
    );
  });

  it.each([
    [[indicator().id], /There is no object "indicator--\S+" in any collection/],
    [['nonsense', '--collection', 'none'], /no collection "none"/],
    [[indicator().id, '--version', 'last'], /--version takes a date/],
  ])('%j is one sentence and exit code 1', async (args, sentence) => {
    const { code, stderr } = await site.run('delivered', ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

// A model that notes each object that stands in an answer: deliveries must name exactly those, and of those that may see a
// version exactly the others.
describe('whatever is added, marked, deleted, granted, replayed and read', () => {
  const partner = fc.integer({ min: 0, max: 2 });
  const object = fc.integer({ min: 0, max: 3 });
  const level = fc.integer({ min: 0, max: red });
  const selector = fc.constantFrom('last', 'first', 'all', '2026-02-02T00:00:00.000Z', 'first,last');
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        partner,
        versions: fc.array(fc.record({ object, day: fc.integer({ min: 1, max: 4 }), level }), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), partner, object, selector }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), partner, level }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), partner }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        partner,
        selector,
        limit: fc.integer({ min: 1, max: 5 }),
        filter: fc.oneof(
          fc.constantFrom('', '&match[type]=indicator', '&match[type]=tool,report', '&match[spec_version]=2.1'),
          object.map(one => `&match[id]=${idOf(one)},${idOf((one + 1) % 4)}`),
        ),
        only: fc.option(object, { nil: undefined }),
        pages: fc.integer({ min: 1, max: 3 }),
        resource: fc.constantFrom('objects', 'objects', 'objects', 'manifest'),
      }),
    },
  );
  type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

  interface Version {
    id: string;
    modified: string;
    level: number;
    owner: number;
    isDeleted: boolean;
    handedTo: Set<number>;
  }

  function idOf(n: number): string {
    return `indicator--22222222-2222-4222-8222-00000000000${n}`;
  }

  class Model {
    /** of all times, in the order in which they were added */
    readonly versions: Version[] = [];
    readonly ceilings = [2, 2, 2];
    readonly scene: Awaited<ReturnType<typeof createScene>>;

    constructor(scene: Awaited<ReturnType<typeof createScene>>) {
      this.scene = scene;
    }

    async take(one: Step): Promise<void> {
      const token = this.scene.tokens[one.partner] as string;
      if (one.kind === 'add') return this.add(one.partner, token, one.versions);
      if (one.kind === 'read') return this.read(one.partner, token, one);
      if (one.kind === 'delete') return this.delete(token, one);
      if (one.kind === 'grant') {
        this.ceilings[one.partner] = one.level;
        return this.scene.grant(one.partner, { tlp_ceiling: one.level });
      }
      const { id, slug } = required(this.scene.partners[one.partner]);
      await replay(hub.hub.db, { id, slug }, this.scene.collection.id, { since: beginning, actor: operator });
    }

    private async add(owner: number, token: string, versions: { object: number; day: number; level: number }[]) {
      const objects = versions.map(({ object, day, level }) =>
        indicator({
          id: idOf(object),
          created: '2026-02-01T00:00:00.000Z',
          modified: `2026-02-0${day}T00:00:00.000Z`,
          object_marking_refs: [levels[level]],
        }),
      );
      const answer = await hub.post(token, this.scene.url, { objects });
      for (const { id, version: modified, message } of answer.json().successes ?? []) {
        if (message !== undefined) continue;
        const index = objects.findIndex(object => object.id === id && object.modified === modified);
        const { level } = required(versions[index]);
        this.versions.push({ id, modified, level, owner, isDeleted: false, handedTo: new Set() });
      }
    }

    private async delete(token: string, { object, selector }: { object: number; selector: string }) {
      const url = `${this.scene.url}${idOf(object)}/`;
      await hub.request(token, { method: 'DELETE', url: `${url}?match[version]=${selector}` });
      // What the hub has removed is read off the operator's export, so that the model needs no rule about it.
      const { rows } = await sql<{ object_id: string; version_text: string }>`
        select object_id, version_text from object_version
        where collection_id = ${this.scene.collection.id}`.execute(hub.hub.db);
      const left = new Set(rows.map(row => `${row.object_id} ${row.version_text}`));
      for (const one of this.versions) one.isDeleted ||= !left.has(`${one.id} ${one.modified}`);
    }

    private async read(reader: number, token: string, asked: Extract<Step, { kind: 'read' }>): Promise<void> {
      const { resource, only, selector, filter, limit } = asked;
      const path = resource === 'manifest' ? this.scene.url.replace('objects', resource) : this.scene.url;
      const url = only === undefined || resource === 'manifest' ? path : `${path}${idOf(only)}/`;
      let cursor = '';
      for (let page = 0; page < asked.pages; page += 1) {
        const query = `?match[version]=${selector}&limit=${limit}${only === undefined ? filter : ''}${cursor}`;
        const answer = await hub.get(token, url + query);
        const { objects = [], next } = answer.json() as { objects?: Indicator[]; next?: string };
        if (resource === 'objects') this.note(reader, objects);
        if (objects.length === 0) return;
        cursor = next ? `&next=${next}` : `&added_after=${answer.headers['x-taxii-date-added-last']}`;
      }
    }

    private note(reader: number, objects: Indicator[]): void {
      for (const { id, modified } of objects) {
        const there = this.versions.filter(one => one.id === id && one.modified === modified && !one.isDeleted);
        expect(there).toHaveLength(1);
        there[0]?.handedTo.add(reader);
      }
    }

    async check(): Promise<void> {
      const slugs = (indexes: number[]) => indexes.map(index => required(this.scene.names[index]));
      for (const object of [0, 1, 2, 3]) {
        const versions = this.versions.filter(one => one.id === idOf(object));
        const expected = versions.map(({ modified, level, owner, isDeleted, handedTo }) => {
          const others = [0, 1, 2].filter(index => index !== owner);
          const maySee = isDeleted ? [] : others.filter(index => (this.ceilings[index] as number) >= level);
          return {
            version: modified,
            delivered: slugs(others.filter(index => handedTo.has(index))),
            pending: slugs(maySee.filter(index => !handedTo.has(index))),
          };
        });
        const { rows } = await pageDeliveries(
          hub.hub.db,
          this.scene.collection.id,
          { objectId: idOf(object) },
          anywhere,
        );
        const told = rows.map(({ version_text: version, delivered, pending }) => ({
          version,
          delivered: delivered.map(one => one.partner).sort(byIndex(this.scene.names)),
          pending: pending.map(one => one.partner).sort(byIndex(this.scene.names)),
        }));
        expect(told).toEqual(expected);
      }
    }
  }

  function byIndex(names: string[]) {
    return (a: string, b: string) => names.indexOf(a) - names.indexOf(b);
  }

  it('deliveries name exactly those who were handed a version', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 30 }), async steps => {
        const model = new Model(await createScene());
        for (const one of steps) await model.take(one);
        await model.check();
      }),
      { numRuns: 60 },
    );
  }, 240_000);
});
