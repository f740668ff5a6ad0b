import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  get,
  idsOf,
  matchOf,
  push,
  query,
  readOnly,
  recordsOf,
  remove,
  request,
  shared,
  shift,
} from './support/client.ts';
import type { Answer } from './support/http.ts';
import { indicators, malware } from './support/stix.ts';
import { target } from './support/target.ts';

// §3.5 leaves it to a server whether it gives `next`; what is said of it here is asked of those that do.
const batch = [...indicators(7), malware(), ...indicators(3)];
let before: string;
let hasNext: boolean;

beforeAll(async () => {
  await push(batch.slice(0, 5));
  await push(batch.slice(5));
  const records = await recordsOf(batch);
  before = shift(records[0]?.date_added as string, -1);
  hasNext = (await page({ limit: 1 })).body.next !== undefined;
});

const page = (filter: Record<string, string | number | undefined>): Promise<Answer> =>
  get(`${shared}objects/${query(filter)}`);

/** Follows `next` to the end; `follow` says what is asked of the page after. */
async function readAll(
  first: Record<string, string | number | undefined>,
  follow: (next: string, pages: number) => Record<string, string | number | undefined>,
): Promise<string[]> {
  const seen: string[] = [];
  let answer = await page(first);
  for (let pages = 1; pages < 500; pages += 1) {
    expect(answer.status, answer.text).toBe(200);
    seen.push(...idsOf(answer.body.objects));
    if (!answer.body.more) return seen;
    answer = await page(follow(answer.body.next, pages));
  }
  throw new Error('the pages do not end');
}

/** Of what other tests add at the same time, nothing. */
const ours = (seen: string[]) => seen.filter(id => idsOf(batch).includes(id));

describe('paging with next', () => {
  it('§3.5: next with the same query gives every object once, in order', async context => {
    if (!hasNext) context.skip();
    for (const limit of [1, 3, 5, 11, 1000]) {
      const seen = await readAll({ added_after: before, limit }, next => ({ added_after: before, limit, next }));
      expect(ours(seen), `limit ${limit}`).toEqual(idsOf(batch));
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('§3.5: without a limit, the server pages as it likes', async context => {
    if (!hasNext) context.skip();
    const many = indicators(60);
    await push(many);
    const seen = await readAll({ added_after: before }, next => ({ added_after: before, next }));
    expect(seen.filter(id => idsOf(many).includes(id))).toEqual(idsOf(many));
  });

  it('§3.5: next is combined with the filters of the query', async context => {
    if (!hasNext) context.skip();
    const filter = { ...matchOf(batch), 'match[type]': 'indicator', limit: 4 };
    const seen = await readAll(filter, next => ({ ...filter, next }));
    expect(seen).toEqual(idsOf(batch.filter(one => one.type === 'indicator')));
  });

  it('taxii2client: the limit may change after the first page', async context => {
    if (!hasNext) context.skip();
    const seen = await readAll({ ...matchOf(batch), limit: 4 }, (next, pages) => ({
      ...matchOf(batch),
      limit: 1 + (pages % 3),
      next,
    }));
    expect(seen).toEqual(idsOf(batch));
  });

  it('Elastic, rstix: next alone goes on with the filters of the first page', async context => {
    if (!hasNext) context.skip();
    const seen = await readAll({ ...matchOf(batch), 'match[type]': 'indicator', limit: 4 }, next => ({
      next,
      limit: 4,
    }));
    expect(seen).toEqual(idsOf(batch.filter(one => one.type === 'indicator')));
    expect(ours(await readAll({ added_after: before, limit: 2 }, next => ({ next })))).toEqual(idsOf(batch));
  });

  it('OpenCTI: next comes together with the first added_after', async context => {
    if (!hasNext) context.skip();
    const added_after = `${before.slice(0, 23)}Z`;
    const seen = await readAll({ added_after, limit: 3 }, next => ({ added_after, next, limit: 3 }));
    expect(ours(seen)).toEqual(idsOf(batch));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('§3.7: next is there only when more is true, also where the last page is full', async () => {
    const filter = matchOf(batch);
    const whole = (await page({ ...filter, limit: batch.length })).body;
    expect(whole.more ?? false).toBe(false);
    expect(whole).not.toHaveProperty('next');
    const { body } = await page({ ...filter, limit: batch.length - 1 });
    expect(body.more).toBe(true);
    if (body.next === undefined) return;
    const last = (await page({ ...filter, limit: 1, next: body.next })).body;
    expect(idsOf(last.objects)).toEqual(idsOf(batch.slice(-1)));
    expect(last.more ?? false).toBe(false);
    expect(last).not.toHaveProperty('next');
  });

  it('taxii2client: more never comes without next, which it would follow for ever', async context => {
    if (!hasNext) context.skip();
    for (const path of ['objects/', 'manifest/']) {
      const { body } = await get(`${shared}${path}${query({ ...matchOf(batch), limit: 2 })}`);
      expect(body.more).toBe(true);
      expect(body.next, path).toEqual(expect.stringMatching(/./));
    }
  });

  it('§3.5: the same next gives the same page again', async context => {
    if (!hasNext) context.skip();
    const { next } = (await page({ ...matchOf(batch), limit: 3 })).body;
    const twice = [
      await page({ ...matchOf(batch), limit: 3, next }),
      await page({ ...matchOf(batch), limit: 3, next }),
    ];
    expect(idsOf(twice[0]?.body.objects)).toEqual(idsOf(batch.slice(3, 6)));
    expect(twice[1]?.body).toEqual(twice[0]?.body);
  });

  it('§3.5: a filter that is as long as the first page allows does not break the second', async context => {
    if (!hasNext) context.skip();
    const ids = [...idsOf(batch), ...Array.from({ length: 480 }, () => `malware-analysis--${randomUUID()}`)];
    const filter = { 'match[id]': ids.join(','), limit: 6 };
    const { status, body } = await page(filter);
    // A server may bound what it takes (§3.4), but then it says so at once.
    if (status !== 200) return;
    expect(idsOf(body.objects)).toEqual(idsOf(batch.slice(0, 6)));
    const rest = await page({ ...filter, next: body.next });
    expect(rest.status).toBe(200);
    expect(idsOf(rest.body.objects)).toEqual(idsOf(batch.slice(6)));
  });

  it('§3.5: what is added between two pages is neither lost nor given twice', async context => {
    if (!hasNext) context.skip();
    const early = indicators(4);
    const late = indicators(3);
    await push(early);
    const filter = { ...matchOf([...early, ...late]), limit: 3 };
    const first = (await page(filter)).body;
    await push(late);
    const rest = await readAll({ ...filter, next: first.next }, next => ({ ...filter, next }));
    expect([...idsOf(first.objects), ...rest]).toEqual(idsOf([...early, ...late]));
  });

  it('§3.5: where the rest is deleted between two pages, an empty page follows', async context => {
    if (!hasNext) context.skip();
    const three = indicators(3);
    await push(three);
    const filter = { ...matchOf(three), limit: 2 };
    const { next } = (await page(filter)).body;
    expect((await remove(`${shared}objects/${three[2]?.id}/`)).status).toBe(200);
    const { status, body } = await page({ ...filter, next });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('objects');
    expect(body.more ?? false).toBe(false);
  });
});

describe('App. B, §3.5 a next that does not belong here', () => {
  const take = async () => (await page({ ...matchOf(batch), limit: 2 })).body.next as string;

  it('of another collection is 400', async context => {
    if (!hasNext) context.skip();
    expect((await get(`${readOnly}objects/${query({ next: await take() })}`)).status).toBe(400);
  });

  it('cut short, extended or changed is 400', async context => {
    if (!hasNext) context.skip();
    const next = await take();
    const changed = next.slice(0, -2) + (next.at(-2) === 'A' ? 'B' : 'A') + next.at(-1);
    for (const wrong of [next.slice(0, -1), `${next}A`, `${next}=`, changed, `${next}%00`, next.toUpperCase()]) {
      expect((await get(`${shared}objects/?next=${wrong}`)).status, wrong).toBe(400);
    }
    expect((await get(`${shared}objects/?next=${next}&next=${next}`)).status).toBe(400);
  });

  it.skipIf(!target.other)('does not open a collection to a client that may not read it', async context => {
    if (!hasNext) context.skip();
    const { next } = (await page({ limit: 1 })).body;
    expect([403, 404]).toContain((await get(`collections/${target.writeOnly}/objects/${query({ next })}`)).status);
    expect([401, 404]).toContain((await get(`${shared}objects/${query({ next })}`, { as: 'nobody' })).status);
  });

  it('is 400 at another endpoint, or serves what it says', async context => {
    if (!hasNext) context.skip();
    expect([200, 400]).toContain((await get(`${shared}manifest/${query({ next: await take(), limit: 1 })}`)).status);
    expect([404]).toContain((await request(`${target.apiRoot}nothing/${query({ next: await take() })}`)).status);
  });
});
