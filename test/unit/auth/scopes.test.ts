import { describe, expect, it } from 'vitest';
import { parseScope, rightsIn } from '../../../src/auth/scopes.ts';

const collection = {
  id: '5b6d0d1c-1c1a-4b59-9c1e-0f6f0f8f5a10',
  alias: 'campaign',
  grant: { can_read: true, can_write: true },
};
const rights = (scope: string) => rightsIn(parseScope(scope) ?? [], collection);

describe('a scope', () => {
  it.each([
    ['collection:campaign:read', { read: true, write: false }],
    ['collection:campaign:write', { read: false, write: true }],
    [`collection:${collection.id}:read collection:campaign:write`, { read: true, write: true }],
    ['collection:*:read', { read: true, write: false }],
    ['collection:other:read collection:other:write', { read: false, write: false }],
    ['collection:campaig:read', { read: false, write: false }],
  ])('%s gives %j', (scope, expected) => {
    expect(rights(scope)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    'read',
    'collection:campaign',
    'collection:campaign:admin',
    'collection::read',
    'collection:a b:read',
    'collection:campaign:read x',
  ])('%j is not one', text => {
    expect(parseScope(text)).toBeUndefined();
  });
});
