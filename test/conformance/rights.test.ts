import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { get, hidden, post, push, readOnly, remove, shared, writeOnly } from './support/client.ts';
import { indicator } from './support/stix.ts';
import { target } from './support/target.ts';

const objectId = `indicator--${randomUUID()}`;
const reads = ['objects/', 'manifest/', `objects/${objectId}/`, `objects/${objectId}/versions/`];

describe('rights', () => {
  it.each(reads)('§5.3-5.8, interop 3.5.2.1: GET %s of a write-only collection is 403 or 404', async path => {
    expect([403, 404]).toContain((await get(`${writeOnly}${path}`)).status);
  });

  it.each(reads)('§5.3-5.8: GET %s of a collection with neither right is 403 or 404', async path => {
    expect([403, 404]).toContain((await get(`${hidden}${path}`)).status);
  });

  it('§5.5, interop 3.5.2.2: POST to a read-only collection is 403 or 404', async () => {
    const object = indicator();
    expect([403, 404]).toContain((await post(readOnly, { objects: [object] })).status);
    expect((await get(`${readOnly}objects/${object.id}/`)).status).toBe(404);
  });

  it('§5.5: POST to a collection with neither right is 403 or 404', async () => {
    expect([403, 404]).toContain((await post(hidden, { objects: [indicator()] })).status);
  });

  it('§5.5: POST to a write-only collection is taken', async () => {
    await push([indicator()], writeOnly);
  });

  it('§5.7: a bad body does not tell a collection that the client may not write to from one that is not there', async () => {
    expect((await post(hidden, '{')).status).toBe((await post(`collections/${randomUUID()}/`, '{')).status);
  });

  it.each([
    ['interop 3.5.2.3: read only', readOnly, 403],
    ['interop 3.5.2.3: write only', writeOnly, 403],
    ['interop 3.5.2.4: neither', hidden, 404],
    ['both, of an object that is not there', shared, 404],
  ])('§5.7 DELETE, %s', async (_what, collection, status) => {
    expect((await remove(`${collection}objects/${objectId}/`)).status).toBe(status);
  });

  describe('what a client may not see', () => {
    const secret = indicator();
    beforeAll(async () => {
      if (target.other) await push([secret], hidden, { as: 'other' });
    });

    it.skipIf(!target.other)('§5.7: DELETE of it is the same answer as of what is not there', async () => {
      const [there, nowhere] = await Promise.all([secret.id, objectId].map(id => remove(`${hidden}objects/${id}/`)));
      expect(withoutIds(there)).toEqual(withoutIds(nowhere));
    });

    it.skipIf(!target.other)('App. B: no answer tells it from what does not exist', async () => {
      const unknown = `collections/${randomUUID()}/`;
      for (const path of ['', 'objects/', 'manifest/', `objects/${secret.id}/`, `objects/${secret.id}/versions/`]) {
        const [there, nowhere] = await Promise.all([get(`${hidden}${path}`), get(`${unknown}${path}`)]);
        expect(there.status, path).toBe(404);
        expect(withoutIds(there), path).toEqual(withoutIds(nowhere));
      }
    });

    it.skipIf(!target.other)('App. B: errors name nothing of it', async () => {
      for (const path of ['', 'objects/', 'manifest/']) {
        const { text } = await get(`${hidden}${path}`);
        expect(text).not.toContain(secret.id);
      }
    });
  });
});

function withoutIds(answer: { status: number; body: object } | undefined) {
  return { status: answer?.status, ...answer?.body, error_id: undefined };
}
