import { describe, expect, it } from 'vitest';
import { createAddressMatcher, parseNetwork } from '../../../src/auth/addresses.ts';

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::ffff:192.0.2.0/120', '::ffff:192.0.2.0/120'],
  ])('is read from %s', (text, network) => {
    expect(parseNetwork(text)).toBe(network);
  });

  it.each([
    '',
    '192.0.2',
    '192.0.2.0/33',
    '2001:db8::/129',
    '192.0.2.0/-1',
    '192.0.2.0/',
    '192.0.2.0/24/8',
    'fe80::1%eth0',
    '010.0.0.1',
    'localhost',
    '10.0.0.1\n',
  ])('is not read from %j', text => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('holds the addresses that it says, however they are written', () => {
    const matches = createAddressMatcher(['192.0.2.9/24', '2001:db8::/32', '::ffff:198.51.100.0/120']);
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '2001:db8:ffff::1', '198.51.100.3']) {
      expect({ address, matches: matches(address) }).toEqual({ address, matches: true });
    }
    for (const address of ['192.0.3.1', '2001:db9::1', '', undefined, 'unknown', '192.0.2.1:80', '::192.0.2.1']) {
      expect({ address, matches: matches(address) }).toEqual({ address, matches: false });
    }
    expect(createAddressMatcher([])('192.0.2.1')).toBe(false);
  });
});
