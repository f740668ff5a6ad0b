import { expect, it } from 'vitest';
import { isSameContent } from '../../../src/taxii/held-objects.ts';

it('a text that is many times longer is not even parsed to say that it is something else', () => {
  const noJson = `{${'x'.repeat(1000)}`;
  const bytes = Buffer.from('{"id":"a"}');
  expect(isSameContent({ text: noJson }, bytes)).toBe(false);
  expect(isSameContent({ text: Buffer.from(noJson) }, bytes)).toBe(false);
  expect(isSameContent({ text: '{ "id" : "a" }' }, bytes)).toBe(true);
  expect(isSameContent({ text: '{ "id" : "b" }' }, bytes)).toBe(false);
});
