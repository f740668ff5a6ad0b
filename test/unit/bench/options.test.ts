import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../bench/options.ts';

const names = ['pages', 'polls', 'peers'];
const parse = (...args: string[]) => parseOptions(args, names);

describe('parseOptions', () => {
  it('measures everything but other servers unless told otherwise', () => {
    expect(parse()).toMatchObject({ names: ['pages', 'polls'], objects: 1_000_000, isQuick: false });
    expect(parse('--quick')?.objects).toBe(50_000);
    expect(parse('--large')?.objects).toBe(10_000_000);
    expect(parse('--peers')?.names).toEqual(names);
  });

  it('keeps the order of the measurements', () => {
    expect(parse('--only', 'polls,pages')?.names).toEqual(['pages', 'polls']);
    expect(parse('--only', 'polls', '--only', 'pages')?.names).toEqual(['pages', 'polls']);
  });

  it('sends each other server its own credential', () => {
    const two = ['--peer', 'https://a.example/root/collections/1', '--peer', 'https://b.example/root/collections/2/'];
    expect(parse(...two, '--user', 'me:secret')?.peers).toEqual([
      { url: 'https://a.example/root/collections/1/', authorization: 'Basic bWU6c2VjcmV0' },
      { url: 'https://b.example/root/collections/2/', authorization: undefined },
    ]);
    expect(parse(...two.slice(0, 2), '--token', 'abc')?.peers[0]?.authorization).toBe('Bearer abc');
  });

  it('says what it does not understand', () => {
    expect(() => parse('--only', 'pagse')).toThrow('"pagse"');
    expect(() => parse('--objects', '1500')).toThrow('multiple of 10,000');
    expect(() => parse('--peer', 'https://a.example/')).toThrow('URL of a collection');
    expect(parse('--help')).toBeUndefined();
  });
});
