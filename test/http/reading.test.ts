import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { required, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator, indicators, revise } from '../support/stix.ts';

let hub: TestHub;
let token: string;
let path: string;

const added = [
  ...indicators(3),
  { ...indicator(), type: 'malware', id: 'malware--11111111-1111-4111-8111-111111111111', is_family: true },
];
const [versioned] = added as [ReturnType<typeof indicator>, ...object[]];
const older = revise(versioned, '2026-02-01T00:00:00.000Z', { created: '2026-02-01T00:00:00.000Z' });
const newer = revise(versioned, '2026-04-01T00:00:00.500Z', { name: 'renamed' });
const address = { type: 'ipv4-addr', id: 'ipv4-addr--22222222-2222-5222-8222-222222222222', value: '192.0.2.1' };

beforeAll(async () => {
  hub = await startTestHub();
  const collection = await hub.addCollection({ alias: 'reading' });
  token = await hub.tokenFor(await hub.addPartner('reader'), 'collection:reading:read collection:reading:write');
  path = `/hub/collections/${collection.id}`;
  for (const objects of [added, [newer], [older], [address]]) {
    expect((await hub.post(token, `${path}/objects/`, { objects })).statusCode).toBe(202);
  }
});
afterAll(() => hub.close());

const ids = (body: { objects?: { id: string }[] }) => (body.objects ?? []).map(object => object.id);

describe('GET objects', () => {
  it('gives the last version of each object, oldest addition first', async () => {
    const answer = await hub.get(token, `${path}/objects/`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe(taxii);
    expect(answer.json()).toEqual({ more: false, objects: [...added.slice(1), newer, address] });
  });

  it('gives the dates of the first and last object of the page in the headers', async () => {
    const manifest = (await hub.get(token, `${path}/manifest/`)).json();
    const answer = await hub.get(token, `${path}/objects/?limit=2`);
    expect(answer.headers['x-taxii-date-added-first']).toBe(manifest.objects[0].date_added);
    expect(answer.headers['x-taxii-date-added-last']).toBe(manifest.objects[1].date_added);
    expect(answer.headers['x-taxii-date-added-last']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('gives no more than the limit, and goes on with next alone', async () => {
    const seen: string[] = [];
    let query = '?limit=2&match[version]=all';
    for (let page = 0; page < 10 && query; page += 1) {
      const body = (await hub.get(token, `${path}/objects/${query}`)).json();
      expect(body.objects.length).toBeLessThanOrEqual(2);
      expect(body.more).toBe(body.next !== undefined);
      seen.push(...ids(body));
      query = body.next ? `?limit=${1 + (page % 2)}&next=${body.next}` : '';
    }
    expect(seen).toEqual([...ids({ objects: added as { id: string }[] }), versioned.id, versioned.id, address.id]);
  });

  it('never gives next on the last page, even when it is full', async () => {
    const count = ids((await hub.get(token, `${path}/objects/`)).json()).length;
    const body = (await hub.get(token, `${path}/objects/?limit=${count}`)).json();
    expect(body).toMatchObject({ more: false });
    expect(body).not.toHaveProperty('next');
  });

  it('an empty page has no objects key, and echoes added_after', async () => {
    const answer = await hub.get(token, `${path}/objects/?added_after=2999-01-01T00:00:00.5Z`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('{"more":false}');
    expect(answer.headers['x-taxii-date-added-first']).toBe('2999-01-01T00:00:00.500000Z');
    expect(answer.headers['x-taxii-date-added-last']).toBe('2999-01-01T00:00:00.500000Z');
  });

  it('added_after is exclusive', async () => {
    const first = await hub.get(token, `${path}/objects/?limit=1`);
    const after = required(first.headers['x-taxii-date-added-last'] as string | undefined);
    const rest = (await hub.get(token, `${path}/objects/?added_after=${after}`)).json();
    expect(ids(rest)).toEqual([...ids({ objects: added.slice(2) as { id: string }[] }), versioned.id, address.id]);
  });

  it.each([
    ['match[id]', versioned.id, () => [newer]],
    ['match[id]', `${versioned.id},${address.id}`, () => [newer, address]],
    ['match[id]', 'indicator--99999999-9999-4999-8999-999999999999', () => []],
    ['match[type]', 'malware', () => [added[3]]],
    ['match[type]', 'malware,ipv4-addr,x-none', () => [added[3], address]],
    ['match[type]', 'grouping', () => []],
    ['match[version]', 'first', () => [...added.slice(1), older, address]],
    ['match[version]', 'all', () => [...added, newer, older, address]],
    ['match[version]', 'first,last', () => [...added.slice(1), newer, older, address]],
    ['match[version]', '2026-04-01T00:00:00.5Z', () => [newer]],
    ['match[version]', '2026-04-01T00:00:00.500000Z,first', () => [...added.slice(1), newer, older, address]],
    ['match[spec_version]', '2.1', () => [...added.slice(1), newer, address]],
    ['match[spec_version]', '2.0', () => []],
    ['match[spec_version]', '2.0,2.1', () => [...added.slice(1), newer, address]],
  ])('filters by %s=%s', async (name, value, expected) => {
    const body = (
      await hub.get(token, `${path}/objects/?${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    ).json();
    expect(body.objects ?? []).toEqual(expected());
  });

  it('takes several filters together', async () => {
    const url = `${path}/objects/?match[type]=indicator&match[id]=${versioned.id},${address.id}&match[version]=all&limit=2`;
    const first = (await hub.get(token, url)).json();
    expect(first.objects).toEqual([versioned, newer]);
    expect((await hub.get(token, `${path}/objects/?next=${first.next}`)).json().objects).toEqual([older]);
  });

  it.each([
    'limit=0',
    'limit=-1',
    'limit=two',
    'limit=1&limit=2',
    'added_after=never',
    'added_after=2024-01-01T00:00:00Z&added_after=2025-01-01T00:00:00Z',
    'added_after=%zz',
    'match[type]=indicator&match[type]=malware',
    'match[version]=all,first',
    'match[id]=%27%20or%201=1',
    'match[id]=%00',
    'next=invented',
    'next=',
  ])('answers 400 to %s', async query => {
    const answer = await hub.get(token, `${path}/objects/?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe(taxii);
    expect(answer.json()).toMatchObject({ http_status: '400', title: expect.any(String) });
  });

  it('answers the alias like the id, with slashes missing or doubled', async () => {
    const expected = (await hub.get(token, `${path}/objects/`)).body;
    for (const url of ['/hub/collections/reading/objects', '//hub/collections//reading/objects/']) {
      expect((await hub.get(token, url)).body).toBe(expected);
    }
  });

  it('answers HEAD with the same headers and no body', async () => {
    const answer = await hub.request(token, { method: 'HEAD', url: `${path}/objects/?limit=1` });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['x-taxii-date-added-last']).toBeDefined();
    expect(answer.body).toBe('');
  });
});

describe('the cursor', () => {
  const nextOf = async (url: string) => (await hub.get(token, url)).json().next as string;

  it('does not go with another collection, endpoint or filter', async () => {
    const next = await nextOf(`${path}/objects/?limit=1`);
    const other = await hub.addCollection({ alias: 'other-place' });
    const both = await hub.tokenFor(await hub.addPartner('both'), 'collection:*:read');
    for (const url of [
      `/hub/collections/${other.id}/objects/?next=${next}`,
      `${path}/manifest/?next=${next}`,
      `${path}/objects/?next=${next}&match[type]=malware`,
      `${path}/objects/?next=${next.slice(0, -2)}AA`,
    ]) {
      expect((await hub.get(both, url)).statusCode).toBe(400);
    }
  });

  it('goes on where added_after is repeated, or moved to the last date', async () => {
    const start = '2026-01-01T00:00:00Z';
    const first = await hub.get(token, `${path}/objects/?limit=1&added_after=${start}`);
    const { next } = first.json();
    const expected = (await hub.get(token, `${path}/objects/?next=${next}`)).body;
    const last = first.headers['x-taxii-date-added-last'];
    expect((await hub.get(token, `${path}/objects/?next=${next}&added_after=${start}`)).body).toBe(expected);
    expect((await hub.get(token, `${path}/objects/?next=${next}&added_after=${last}`)).body).toBe(expected);
  });
});

describe('GET manifest', () => {
  it('has an entry for each version that matches', async () => {
    const body = (await hub.get(token, `${path}/manifest/?match[id]=${versioned.id}&match[version]=all`)).json();
    const media_type = 'application/stix+json;version=2.1';
    expect(body.objects).toEqual(
      [versioned, newer, older].map(object => ({
        id: object.id,
        version: object.modified,
        media_type,
        date_added: expect.stringMatching(/\.\d{6}Z$/),
      })),
    );
  });

  it('gives an object without dates of its own the time it came as version', async () => {
    const { objects } = (await hub.get(token, `${path}/manifest/?match[type]=ipv4-addr`)).json();
    const { version } = objects[0];
    expect(Date.parse(version)).toBeGreaterThan(Date.now() - 600_000);
    const body = (await hub.get(token, `${path}/objects/?match[version]=${version}`)).json();
    expect(body.objects).toEqual([address]);
  });

  it('pages with next, and with added_after alone', async () => {
    const first = await hub.get(token, `${path}/manifest/?limit=2`);
    const after = first.headers['x-taxii-date-added-last'];
    const byNext = await hub.get(token, `${path}/manifest/?next=${first.json().next}`);
    const byDate = await hub.get(token, `${path}/manifest/?added_after=${after}`);
    expect(byNext.json().objects).toHaveLength(3);
    expect(byDate.json()).toEqual(byNext.json());
  });
});

describe('GET object', () => {
  it('gives its last version in an envelope, or those that match', async () => {
    const url = `${path}/objects/${versioned.id}/`;
    expect((await hub.get(token, url)).json()).toEqual({ more: false, objects: [newer] });
    expect((await hub.get(token, `${url}?match[version]=first`)).json().objects).toEqual([older]);
    expect((await hub.get(token, `${url}?match[version]=all`)).json().objects).toEqual([versioned, newer, older]);
  });

  it('is an empty envelope when every version is filtered away', async () => {
    const answer = await hub.get(token, `${path}/objects/${versioned.id}/?match[version]=2001-01-01T00:00:00Z`);
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('{"more":false}');
    expect(answer.headers['x-taxii-date-added-last']).toBeDefined();
  });

  it.each(['indicator--99999999-9999-4999-8999-999999999999', 'nonsense', '%00', "x'--", 'x'.repeat(300)])(
    'is 404 for %s',
    async id => {
      for (const url of [`${path}/objects/${id}/`, `${path}/objects/${id}/versions/`]) {
        const answer = await hub.get(token, url);
        expect(answer.statusCode).toBe(404);
        expect(answer.json().error_code).toBe('object-not-found');
      }
    },
  );
});

describe('GET versions', () => {
  it('lists them as they were written, oldest addition first', async () => {
    const answer = await hub.get(token, `${path}/objects/${versioned.id}/versions/`);
    expect(answer.json()).toEqual({ more: false, versions: [versioned.modified, newer.modified, older.modified] });
    expect(answer.headers['x-taxii-date-added-first']).toBeDefined();
  });

  it('pages by added_after without splitting equal dates', async () => {
    const seen: string[] = [];
    let after = '2000-01-01T00:00:00Z';
    for (let more = true; more; ) {
      const answer = await hub.get(token, `${path}/objects/${versioned.id}/versions/?limit=1&added_after=${after}`);
      seen.push(...answer.json().versions);
      more = answer.json().more;
      after = required(answer.headers['x-taxii-date-added-last'] as string | undefined);
    }
    expect(seen).toEqual([versioned.modified, newer.modified, older.modified]);
  });
});

describe('page sizes', () => {
  it('are bounded by the hub whatever the limit, in objects and in bytes, and never empty with more', async () => {
    const small = await startTestHub({ pageObjectsDefault: 2, pageObjectsMax: 3, pageBytesMax: 3000 });
    await small.addCollection({ alias: 'small' });
    const both = await small.tokenFor(await small.addPartner(), 'collection:small:read collection:small:write');
    const large = Array.from({ length: 4 }, () => indicator({ description: 'x'.repeat(2000) }));
    await small.post(both, '/hub/collections/small/objects/', { objects: [...indicators(5), ...large] });

    const sizes: number[] = [];
    for (let query = '?limit=1000'; query; ) {
      const body = (await small.get(both, `/hub/collections/small/objects/${query}`)).json();
      sizes.push(body.objects.length);
      query = body.next ? `?limit=1000&next=${body.next}` : '';
    }
    expect(sizes).toEqual([3, 3, 1, 1, 1]);
    expect((await small.get(both, '/hub/collections/small/objects/')).json().objects).toHaveLength(2);
    await small.close();
  });
});
