import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Waiters } from '../../../src/db/waiters.ts';

const msMax = 60_000;

it('who hangs up while a lot is woken does not end the wait of who comes then', async () => {
  const waiters = new Waiters();
  const client = new AbortController();
  const others = Array.from({ length: 250 }, () =>
    waiters.wait('one', { signal: new AbortController().signal, msMax }),
  );
  const last = waiters.wait('one', { signal: client.signal, msMax });
  waiters.wake('one');
  client.abort();
  await Promise.all([...others, last]);
  expect(waiters.isAny).toBe(false);
  const late = waiters.wait('one', { signal: new AbortController().signal, msMax });
  await setImmediate();
  expect(waiters.isAny).toBe(true);
  waiters.wake('one');
  await late;
  expect(waiters.isAny).toBe(false);
});
