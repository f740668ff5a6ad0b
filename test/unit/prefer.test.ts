import { describe, expect, it } from 'vitest';
import { readWaitSeconds } from '../../src/http/prefer.ts';

// RFC 7240 §2 and §4.3.
describe('Prefer: wait', () => {
  it.each([
    ['wait=30', 30],
    ['WAIT = 30', 30],
    ['wait="30"', 30],
    ['wait=30; foo=bar', 30],
    ['respond-async, wait=10', 10],
    ['respond-async;wait=5, wait=10', 10],
    ['foo="a, wait=5", wait=10', 10],
    ['foo="a\\", wait=5", wait=10', 10],
    ['wait=10, wait=20', 10],
    // A list of header fields is joined so.
    ['return=minimal, wait=007', 7],
  ])('%s: %d seconds', (header, seconds) => expect(readWaitSeconds(header)).toBe(seconds));

  it.each([
    undefined,
    '',
    ',',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=30s',
    'wait=1e3',
    'wait=9999999999',
    'waiting=30',
    'foo=wait=30',
    'wait=x, wait=20',
    'wait="30',
    `${'a,'.repeat(500)}wait=30`,
    '"\\'.repeat(60_000),
  ])('%s: none', header => expect(readWaitSeconds(header)).toBe(0));
});
