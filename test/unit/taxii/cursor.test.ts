import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cursor, decodeCursor, encodeCursor } from '../../../src/taxii/cursor.ts';

const key = randomBytes(32);
const cursor: Cursor = {
  operation: 'getObjects',
  collectionId: '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10',
  objectId: '',
  match: { type: ['indicator', 'report'] },
  after: '2026-03-01T10:00:00.000001Z',
};
const scan = { operation: cursor.operation, collectionId: cursor.collectionId, match: {} };

describe('a cursor', () => {
  it('comes back as it was, with the filters of its scan', () => {
    expect(decodeCursor(encodeCursor(cursor, key), scan, key)).toEqual(cursor);
  });

  it('is opaque text that fits a URL as it is', () => {
    expect(encodeCursor(cursor, key)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('is refused when any character of it is changed', () => {
    const text = encodeCursor(cursor, key);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'ABCxyz019-_=.%'), (at, character) => {
        fc.pre(text[at] !== character);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        expect(() => decodeCursor(changed, scan, key)).toThrow(/not one that this hub gave/);
      }),
    );
  });

  it('is refused when it is cut, extended, or made up', () => {
    const text = encodeCursor(cursor, key);
    const strange = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.nat(text.length - 1).map(end => text.slice(0, end)),
    );
    fc.assert(
      fc.property(strange, made => {
        expect(() => decodeCursor(made, scan, key)).toThrow(/not one that/);
      }),
    );
    expect(() => decodeCursor(`${text}A`, scan, key)).toThrow(/not one that/);
  });

  it('is refused by a hub with another key', () => {
    expect(() => decodeCursor(encodeCursor(cursor, randomBytes(32)), scan, key)).toThrow(/not one that/);
  });

  it.each([
    ['collection', { ...scan, collectionId: '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a11' }],
    ['endpoint', { ...scan, operation: 'getManifest' }],
    ['object', { ...scan, objectId: 'indicator--6f2b1c0e-3a9d-4f57-9a62-0d4c5e8b7a11' }],
  ])('is refused for another %s', (_, other) => {
    expect(() => decodeCursor(encodeCursor(cursor, key), other, key)).toThrow(/another collection or endpoint/);
  });

  it('goes with the filters of its scan repeated, and not with others', () => {
    const text = encodeCursor(cursor, key);
    expect(decodeCursor(text, { ...scan, match: { type: ['indicator', 'report'] } }, key).match).toEqual(cursor.match);
    expect(() => decodeCursor(text, { ...scan, match: { type: ['malware'] } }, key)).toThrow(/match\[type\]/);
    expect(() => decodeCursor(text, { ...scan, match: { version: ['all'] } }, key)).toThrow(/match\[version\]/);
  });
});
