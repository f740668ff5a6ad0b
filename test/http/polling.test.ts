import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator, revise } from '../support/stix.ts';

// What the hub promises (ARCHITECTURE.md, invariant 1), tried where it could break: many writers on two nodes commit
// while pollers of every kind that clients use read along. Each poller must see each version exactly once.

type App = TestHub['app'];

const stalenessMsMax = 250;
let hub: TestHub;
let nodes: App[];

beforeAll(async () => {
  // As operators run it: each node goes by what it knows.
  hub = await startTestHub({ stalenessMsMax });
  nodes = [hub.app, await hub.addNode()];
});
afterAll(() => hub.close());

interface Poller {
  kind: string;
  seen: string[];
  /** asks for one page; whether there was anything on it */
  poll(): Promise<boolean>;
}

const nodeAt = (turn: number) => nodes[turn % nodes.length] as App;

/** Reads pages, going on as `follow` says with what the last page gave. */
function createPoller(
  kind: string,
  url: string,
  token: string,
  follow: (last: string, next?: string) => string,
): Poller {
  let query = '';
  let turn = 0;
  const seen: string[] = [];
  return {
    kind,
    seen,
    async poll() {
      const limit = 1 + ((turn * 7) % 23);
      const answer = await nodeAt(turn++).inject({
        url: `${url}?match[version]=all&limit=${limit}${query}`,
        headers: { accept: taxii, authorization: `Bearer ${token}` },
      });
      expect(answer.statusCode).toBe(200);
      const { objects = [], next, more } = answer.json();
      expect(more && objects.length === 0).toBe(false);
      expect(objects.length).toBeLessThanOrEqual(limit);
      seen.push(...objects.map((object: { id: string; modified: string }) => `${object.id} ${object.modified}`));
      query = follow(answer.headers['x-taxii-date-added-last'] as string, next);
      return objects.length > 0;
    },
  };
}

describe('polling while any number of writers commit', () => {
  it('hands out every version exactly once, in one order, to every kind of poller', async () => {
    await hub.addCollection({ alias: 'busy' });
    const url = '/hub/collections/busy/objects/';
    const token = await hub.tokenFor(await hub.addPartner('poller'), 'collection:busy:read');
    let start = '';
    const pollers = [
      createPoller('added_after alone', url, token, last => `&added_after=${last}`),
      createPoller('next, then added_after', url, token, (last, next) =>
        next ? `&next=${next}` : `&added_after=${last}`,
      ),
      createPoller('both together', url, token, (last, next) => `${next ? `&next=${next}` : ''}&added_after=${last}`),
      createPoller('next with the added_after of the start', url, token, (last, next) => {
        if (next) return `&next=${next}${start && `&added_after=${start}`}`;
        start = last;
        return `&added_after=${last}`;
      }),
    ];

    const written: string[] = [];
    const write = async (writer: number) => {
      const writerToken = await hub.tokenFor(await hub.addPartner(`writer-${writer}`), 'collection:busy:write');
      for (let batch = 0; batch < 12; batch += 1) {
        const fresh = Array.from({ length: 1 + ((writer * 31 + batch * 17) % 40) }, () => indicator());
        // Every fifth object comes in a second version, in the same envelope.
        const objects = fresh.flatMap((object, index) =>
          index % 5 === 4 ? [object, revise(object, '2026-05-01T00:00:00.000Z')] : [object],
        );
        const answer = await nodeAt(writer).inject({
          method: 'POST',
          url,
          headers: { accept: taxii, 'content-type': taxii, authorization: `Bearer ${writerToken}` },
          payload: JSON.stringify({ objects }),
        });
        expect(answer.json()).toMatchObject({ failure_count: 0 });
        written.push(...objects.map(object => `${object.id} ${object.modified}`));
      }
    };

    let endedAt = Number.POSITIVE_INFINITY;
    const writers = Promise.all([0, 1, 2, 3, 4, 5].map(write)).finally(() => {
      endedAt = performance.now();
    });
    const readers = pollers.map(async poller => {
      // Only an empty page that was asked for so long after the last commit says that there is nothing left.
      for (let isDone = false; !isDone; ) {
        const couldMiss = performance.now() < endedAt + stalenessMsMax;
        isDone = !(await poller.poll()) && !couldMiss;
      }
    });
    await Promise.all([writers, ...readers]);

    const expected = [...written].sort();
    for (const { kind, seen } of pollers) {
      expect({ kind, seen: [...seen].sort() }).toEqual({ kind, seen: expected });
      expect({ kind, seen }).toEqual({ kind, seen: pollers[0]?.seen });
    }
  });

  it('gives a client that truncates dates to milliseconds nothing twice once it has all', async () => {
    await hub.addCollection({ alias: 'truncated' });
    const url = '/hub/collections/truncated/objects/';
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:truncated:read collection:truncated:write');
    for (const count of [1, 7, 1500, 3]) {
      await hub.post(token, url, { objects: Array.from({ length: count }, () => indicator()) });
      const answer = await hub.get(token, `${url}?limit=10000`);
      const truncated = new Date(answer.headers['x-taxii-date-added-last'] as string).toISOString();
      expect((await hub.get(token, `${url}?added_after=${truncated}`)).json()).toEqual({ more: false });
    }
  });

  it('an empty page never sends a poller past what is being committed', async () => {
    await hub.addCollection({ alias: 'empty' });
    const url = '/hub/collections/empty/objects/';
    const token = await hub.tokenFor(await hub.addPartner(), 'collection:empty:read collection:empty:write');
    const early = (await hub.get(token, url)).headers['x-taxii-date-added-last'] as string;
    const filtered = `${url}?match[type]=malware`;
    await hub.post(token, url, { objects: [indicator()] });
    expect((await hub.get(token, `${url}?added_after=${early}`)).json().objects).toHaveLength(1);
    // A filter that matches nothing may move on to what was looked at, and no further.
    const looked = (await hub.get(token, filtered)).headers['x-taxii-date-added-last'] as string;
    await hub.post(token, url, {
      objects: [
        { ...indicator(), type: 'malware', id: 'malware--11111111-1111-4111-8111-111111111111', is_family: false },
      ],
    });
    expect((await hub.get(token, `${filtered}&added_after=${looked}`)).json().objects).toHaveLength(1);
  });
});
