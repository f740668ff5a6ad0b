import { createHook } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';

const kept: object[] = [];

/**
 * Settles with V8 what it gets wrong about a process that serves for long. To be called when one starts; Node 20, 22 and 24
 * behave the same.
 */
export function tuneEngine(): void {
  // What requests are made of lives long while large envelopes come, and V8 then makes it where only a full collection looks.
  // From there it holds on to all else of its request: collections between took 5.5 ms instead of 0.3 ever after, and a poll
  // 1.4 times as long.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // What a page takes lies outside of V8's heap and is counted to it, so that a small heap looks full ten times a second: a
  // quarter of the hub's time went into full collections. Now one comes when there is three times what was left by the last.
  setFlagsFromString('--heap-growing-percent=200');
  keepTicksFast();
}

/**
 * Keeps one of the objects that process.nextTick makes. Where none is alive at a full collection, V8 forgets their shape, and
 * each takes six times as long from then on (0.8 µs instead of 0.13), of which a poll needs several.
 */
function keepTicksFast(): void {
  const hook = createHook({
    init(_id, type, _triggerId, tick) {
      if (type === 'TickObject') kept.push(tick);
    },
  });
  hook.enable();
  process.nextTick(() => {});
  hook.disable();
}
