import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choosePauseMs } from '../../src/http/rate-limits.ts';

interface Poller {
  node: number;
  readyMs: number;
}

/**
 * A minute in which pollers send one request after the other, each on a node that counts all requests. Time is made of
 * what the pauses and the answers take, so that it is over in no time.
 */
function simulate({
  max,
  pollers,
  nodes,
  answerMs,
}: {
  max: number;
  pollers: number;
  nodes: number;
  answerMs: number;
}) {
  const all: Poller[] = Array.from({ length: pollers }, (_, index) => ({ node: index % nodes, readyMs: 0 }));
  const ofNode = (node: number) => all.filter(poller => poller.node === node).length;
  let current = 0;
  for (;;) {
    const next = all.reduce((one, other) => (other.readyMs < one.readyMs ? other : one));
    if (next.readyMs >= 60_000) return current;
    current += 1;
    if (current > max) return current;
    // At most as many are under way as there are pollers on the node.
    const pauseMs = choosePauseMs({ max, current, leftMs: 60_000 - next.readyMs, underWay: ofNode(next.node) });
    next.readyMs += pauseMs + answerMs;
  }
}

it('whoever sends one request after the other, over a few connections, never reaches the limit', () => {
  const speeds = fc.record({
    max: fc.integer({ min: 600, max: 10_000 }),
    pollers: fc.integer({ min: 1, max: 8 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    answerMs: fc.double({ min: 0.5, max: 50, noNaN: true }),
  });
  fc.assert(
    fc.property(speeds, one => {
      expect(simulate(one)).toBeLessThanOrEqual(one.max);
    }),
    { numRuns: 60 },
  );
});

it('who stays below half of it is not held up', () => {
  expect(choosePauseMs({ max: 100, current: 50, leftMs: 60_000, underWay: 9 })).toBe(0);
  expect(choosePauseMs({ max: 100, current: 51, leftMs: 44_000, underWay: 1 })).toBe(1000);
});

it('nobody is held longer than a few seconds, or than the minute lasts', () => {
  expect(choosePauseMs({ max: 100, current: 100, leftMs: 60_000, underWay: 1 })).toBe(5000);
  expect(choosePauseMs({ max: 100, current: 99, leftMs: 300, underWay: 60 })).toBe(300);
});
