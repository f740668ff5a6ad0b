import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, matchOf, push, query, recordsOf, shared, shift } from './support/client.ts';
import { indicator, indicators, malware, revise, type StixObject } from './support/stix.ts';

/** Where a poller stands: what it was handed so far, and the added_after of its next poll. */
interface Poller {
  seen: string[];
  addedAfter: string;
}

const batch = [...indicators(6), malware(), ...indicators(6)];
let before: string;

beforeAll(async () => {
  await push(batch.slice(0, 8));
  await push(batch.slice(8));
  before = shift((await recordsOf(batch))[0]?.date_added as string, -1);
});

/** Polls until the server says that there is no more, by X-TAXII-Date-Added-Last alone (§3.5). */
async function poll(poller: Poller, filter: Record<string, string | number> = {}, round = (date: string) => date) {
  for (let pages = 0; pages < 500; pages += 1) {
    const { status, headers, body } = await get(
      `${shared}objects/${query({ ...filter, added_after: poller.addedAfter })}`,
    );
    expect(status).toBe(200);
    poller.seen.push(...(body.objects ?? []).map(nameOf));
    const last = String(headers['x-taxii-date-added-last']);
    // A header that goes back would make the poller read what it has.
    expect(last >= toMicroseconds(poller.addedAfter), `${last}, asked for ${poller.addedAfter}`).toBe(true);
    poller.addedAfter = body.more ? last : round(last);
    if (!body.more) return;
    // XSOAR stops at a page without objects, and would miss what follows.
    expect(body.objects, 'more is true on a page without objects').toBeDefined();
  }
  throw new Error('the pages do not end');
}

const toMicroseconds = (date: string) => date.replace(/(\.\d{3})Z$/, '$1000Z');
const nameOf = ({ id, modified }: { id: string; modified?: string }) => `${id} ${modified}`;
const ours = (seen: string[], objects: StixObject[]) => {
  const names = (objects as { id: string; modified?: string }[]).map(nameOf);
  return { names, found: seen.filter(name => names.includes(name)) };
};

function expectOnce(poller: Poller, objects: StixObject[]): void {
  const { names, found } = ours(poller.seen, objects);
  expect(found).toEqual(names);
  expect(new Set(poller.seen).size, 'something came twice').toBe(poller.seen.length);
}

describe('polling by X-TAXII-Date-Added-Last', () => {
  it.each([1, 2, 5, 1000])('§3.2, §3.5: gives every object once, in order, at a limit of %s', async limit => {
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller, { limit, ...matchOf(batch) });
    expectOnce(poller, batch);
  });

  it('§3.5: works without a filter, while others add objects', async () => {
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller, { limit: 20 });
    expectOnce(poller, batch);
  });

  it('§3.4: the second poll gives what was added since, and a third one nothing of it', async () => {
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller);
    const more = indicators(3);
    await push(more);
    await poll(poller);
    await poll(poller);
    expectOnce(poller, [...batch, ...more]);
  });

  it('§5.3.1: a new version of an object comes to a poller that had the old one', async () => {
    const old = indicator();
    await push([old]);
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller);
    const newer = revise(old, '2020-05-01T00:00:00.000Z', { revoked: true });
    await push([newer]);
    await poll(poller);
    expectOnce(poller, [...batch, old, newer]);
  });

  it('§3.4: an object that is older than others by its own dates comes all the same', async () => {
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller);
    const ancient = indicator({ created: '2001-01-01T00:00:00.000Z', modified: '2001-01-01T00:00:00.000Z' });
    await push([ancient]);
    await poll(poller);
    expectOnce(poller, [...batch, ancient]);
  });

  it('OpenCTI: truncated to milliseconds after the last page, the header brings nothing again', async () => {
    const toMilliseconds = (date: string) => new Date(date).toISOString();
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller, { limit: 4 }, toMilliseconds);
    const sets = [indicators(1), indicators(7), indicators(2)];
    for (const objects of sets) {
      await push(objects);
      await poll(poller, { limit: 4 }, toMilliseconds);
      await poll(poller, { limit: 4 }, toMilliseconds);
    }
    expectOnce(poller, [...batch, ...sets.flat()]);
  });

  it.each([
    ['2020-01-01T00:00:00Z'],
    ['2020-01-01T00:00:00.5Z'],
    ['2020-01-01T00:00:00.123Z'],
    ['2020-01-01T00:00:00.123456Z'],
  ])('clients write added_after as %s', async added_after => {
    const { status, body } = await get(`${shared}objects/${query({ ...matchOf(batch), added_after })}`);
    expect(status).toBe(200);
    expect(idsOf(body.objects)).toEqual(idsOf(batch));
  });

  it('§3.2: after an empty page, its header loses nothing that comes later', async () => {
    const nothing = { 'match[id]': idsOf(indicators(1))[0] as string };
    const { body, headers } = await get(`${shared}objects/${query(nothing)}`);
    expect(body).not.toHaveProperty('objects');
    const poller: Poller = { seen: [], addedAfter: String(headers['x-taxii-date-added-last']) };
    const later = indicators(2);
    await push(later);
    await poll(poller, matchOf(later));
    expectOnce(poller, later);
  });

  it('XSOAR: a filter that few objects pass gives no empty page before the last', async () => {
    const poller: Poller = { seen: [], addedAfter: before };
    await poll(poller, { 'match[type]': 'malware', limit: 1 });
    const { names, found } = ours(poller.seen, batch.slice(6, 7));
    expect(found).toEqual(names);
  });

  it('§3.3, §3.5: while several clients add objects at once, a poller gets each of them once', async () => {
    const writers = Array.from({ length: 4 }, () => Array.from({ length: 6 }, () => indicators(3)));
    const { headers } = await get(`${shared}objects/${query({ added_after: before, limit: 1 })}`);
    const poller: Poller = { seen: [], addedAfter: String(headers['x-taxii-date-added-first']) };
    let writing = true;
    const writes = Promise.all(
      writers.map(async envelopes => {
        for (const objects of envelopes) await push(objects);
      }),
    ).finally(() => {
      writing = false;
    });
    while (writing) {
      await poll(poller, { limit: 7 });
      await setImmediate();
    }
    await writes;
    await poll(poller, { limit: 7 });
    const { names, found } = ours(poller.seen, writers.flat(2));
    expect([...found].sort()).toEqual([...names].sort());
    expect(new Set(poller.seen).size, 'something came twice').toBe(poller.seen.length);
  });
});
