import { describe, expect, it } from 'vitest';
import { findMediaTypeProblems } from './support/check-answer.ts';
import { findProblems, isTaxiiTimestamp, type ResourceName } from './support/resources.ts';

// The checks that every answer passes, held against answers that are wrong: a check that finds nothing proves nothing.

const collection = {
  id: '0f4b9f6e-2f3e-4d8c-9a45-0c2b6a7d8e9f',
  title: 'One',
  can_read: true,
  can_write: false,
};
const status = {
  id: collection.id,
  status: 'complete',
  total_count: 1,
  success_count: 1,
  successes: [{ id: 'indicator--0f4b9f6e-2f3e-4d8c-9a45-0c2b6a7d8e9f', version: '2020-01-01T00:00:00.000Z' }],
  failure_count: 0,
  pending_count: 0,
};
const record = { id: status.successes[0]?.id, date_added: '2020-01-01T00:00:00.000001Z', version: '1' };
const apiRoot = { title: 'One', versions: ['application/taxii+json;version=2.1'], max_content_length: 1 };

describe('the checks of the suite', () => {
  it.each<[ResourceName, object]>([
    ['discovery', { title: 'A', default: '/a/', api_roots: ['/a/', 'https://other.example/b/'] }],
    ['api-root', apiRoot],
    ['collections', {}],
    ['collections', { collections: [collection] }],
    ['envelope', {}],
    ['envelope', { more: false }],
    ['manifest', { more: true, next: 'x', objects: [record] }],
    ['versions', { versions: ['1', '2'] }],
    ['status', status],
    ['error', { title: 'No', http_status: '404', details: {} }],
  ])('pass a right %s', (name, value) => {
    expect(findProblems(name, value)).toEqual([]);
  });

  it.each<[string, ResourceName, unknown]>([
    ['a default that is not listed', 'discovery', { title: 'A', default: '/a', api_roots: ['/a/'] }],
    ['an API root without TLS', 'discovery', { title: 'A', api_roots: ['http://a.example/'] }],
    ['an API root with two slashes', 'discovery', { title: 'A', api_roots: ['//a.example/'] }],
    ['an API root with a query', 'discovery', { title: 'A', api_roots: ['/a/?b'] }],
    ['a missing title', 'discovery', {}],
    ['a null', 'discovery', { title: 'A', description: null }],
    ['a property in camel case', 'discovery', { title: 'A', apiRoots: ['/a/'] }],
    ['a length as text', 'api-root', { ...apiRoot, max_content_length: '1' }],
    ['a length of 0', 'api-root', { ...apiRoot, max_content_length: 0 }],
    ['versions without 2.1', 'api-root', { ...apiRoot, versions: ['application/taxii+json;version=2.0'] }],
    ['an empty list', 'collections', { collections: [] }],
    ['a list instead of the resource', 'collections', [collection]],
    ['a UUID of version 1', 'collection', { ...collection, id: '0f4b9f6e-2f3e-1d8c-9a45-0c2b6a7d8e9f' }],
    ['a right as text', 'collection', { ...collection, can_read: 'true' }],
    ['a right that is missing', 'collection', { ...collection, can_write: undefined }],
    [
      'two collections with one alias',
      'collections',
      { collections: [1, 2].map(() => ({ ...collection, alias: 'a' })) },
    ],
    ['next without more', 'envelope', { more: false, next: 'x' }],
    ['next as a number', 'envelope', { more: true, next: 1 }],
    ['an envelope without objects but with the key', 'envelope', { objects: [] }],
    ['a bundle in an envelope', 'envelope', { objects: [{ type: 'bundle', id: `bundle--${collection.id}` }] }],
    ['milliseconds', 'manifest', { objects: [{ ...record, date_added: '2020-01-01T00:00:00.001Z' }] }],
    ['the wrong order', 'manifest', { objects: [{ ...record, date_added: '2021-01-01T00:00:00.000000Z' }, record] }],
    ['an offset', 'manifest', { objects: [{ ...record, date_added: '2020-01-01T00:00:00.000000+00:00' }] }],
    ['counts that do not add up', 'status', { ...status, total_count: 2 }],
    ['a count that is not that of the list', 'status', { ...status, total_count: 2, success_count: 2 }],
    ['an unknown state', 'status', { ...status, status: 'done' }],
    ['a detail without a version', 'status', { ...status, successes: [{ id: 'a' }] }],
    ['http_status as a number', 'error', { title: 'No', http_status: 404 }],
    ['details as text', 'error', { title: 'No', details: 'x' }],
  ])('refuse %s', (_what, name, value) => {
    expect(findProblems(name, JSON.parse(JSON.stringify(value)))).not.toEqual([]);
  });

  it('take a timestamp of TAXII, and no other', () => {
    expect(isTaxiiTimestamp('2024-02-29T23:59:59.999999Z')).toBe(true);
    for (const wrong of [
      '2023-02-29T00:00:00.000000Z',
      '2024-01-01T00:00:00Z',
      '2024-01-01t00:00:00.000000z',
      'undefined',
    ])
      expect(isTaxiiTimestamp(wrong), wrong).toBe(false);
  });

  it.each([
    ['application/taxii+json;version=2.1', true],
    ['application/taxii+json; version=2.1; charset=utf-8', true],
    ['application/taxii+json; version="2.1"', false],
    ['application/taxii+json', false],
    ['application/json', false],
    [undefined, false],
  ])('compare Content-Type %s as clients do', (value, isRight) => {
    expect(findMediaTypeProblems({ headers: { 'content-type': value } }).length === 0).toBe(isRight);
  });
});
