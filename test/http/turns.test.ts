import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { indicators } from '../support/stix.ts';

let hub: TestHub;
let token: string;
beforeAll(async () => {
  hub = await startTestHub({ requestsPerMinute: 0, stalenessMsMax: 250 });
  for (const alias of ['large', 'small']) await hub.addCollection({ alias });
  token = await hub.tokenFor(await hub.addPartner(), 'collection:*:read collection:*:write');
});
afterAll(() => hub.close());

describe('a large envelope', () => {
  it('lets pollers in while it is judged and while it is written', { timeout: 60_000 }, async () => {
    // Only watched: how many objects were judged.
    let judged = 0;
    const { validator } = hub.hub;
    const judge = validator.judge;
    validator.judge = (...args) => {
      judged += 1;
      return judge(...args);
    };
    const objects = indicators(20_000);
    let isAnswered = false;
    const answer = hub.post(token, '/hub/collections/large/objects/', { objects }).finally(() => {
      isAnswered = true;
    });
    const answeredAt: number[] = [];
    while (!isAnswered) {
      // As over a socket: what is injected takes no round of the event loop.
      await setImmediate();
      const poll = await hub.get(token, '/hub/collections/small/objects/?added_after=2099-01-01T00:00:00Z');
      expect(poll.statusCode).toBe(200);
      if (!isAnswered) answeredAt.push(judged);
    }
    validator.judge = judge;
    const status = (await answer).json();
    expect(status).toMatchObject({ total_count: 20_000, success_count: 20_000, failure_count: 0 });
    expect(status.successes.map((one: { id: string }) => one.id)).toEqual(objects.map(({ id }) => id));

    const meanwhile = answeredAt.filter(count => count > 0 && count < 20_000);
    expect(new Set(meanwhile).size).toBeGreaterThan(5);
    expect(answeredAt.filter(count => count === 20_000).length).toBeGreaterThan(5);
    // What its sender finds is what was sent, in that order, over all pieces of the body and of the statements.
    const ids: string[] = [];
    for (let next = ''; ; ) {
      const page = (await hub.get(token, `/hub/collections/large/objects/?limit=5000${next}`)).json();
      ids.push(...page.objects.map((one: { id: string }) => one.id));
      if (!page.more) break;
      next = `&next=${page.next}`;
    }
    expect(ids).toEqual(objects.map(({ id }) => id));
  });
});
