import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { get, idsOf, readOnly, request, shared, writeOnly } from './support/client.ts';
import { target } from './support/target.ts';

interface Collection {
  id: string;
  alias?: string;
  can_read: boolean;
  can_write: boolean;
  media_types?: string[];
}
const list = async (path = 'collections/'): Promise<Collection[]> => (await get(path)).body.collections;

describe('collections', () => {
  it('§5.1, interop 3.4.1: those that are there for the client are listed', async () => {
    expect(idsOf(await list())).toEqual(expect.arrayContaining([target.readWrite, target.readOnly, target.writeOnly]));
  });

  it('§3.3: the order is the same at every request', async () => {
    const ids = idsOf(await list());
    for (let round = 0; round < 3; round += 1) expect(idsOf(await list())).toEqual(ids);
  });

  it('interop 2.1.7: the order is ascending by id', async () => {
    const ids = idsOf(await list());
    expect(ids).toEqual([...ids].sort());
  });

  it('§5.1: the list is not paged', async () => {
    expect(await list('collections/?limit=1')).toEqual(await list());
  });

  it('§5.2.1, interop 3.5.1.2: read and write', async () => {
    expect((await get(shared)).body).toMatchObject({ id: target.readWrite, can_read: true, can_write: true });
  });

  it('§5.2.1, interop 3.5.1.3: read only', async () => {
    expect((await get(readOnly)).body).toMatchObject({ id: target.readOnly, can_read: true, can_write: false });
  });

  it('§5.2.1, interop 3.5.1.1: write only', async () => {
    expect((await get(writeOnly)).body).toMatchObject({ id: target.writeOnly, can_read: false, can_write: true });
  });

  it('§5.2, interop 3.5.1.4: neither right: 404, or 200 with both false', async () => {
    const { status, body } = await get(`collections/${target.hidden}/`);
    if (status === 200) expect(body).toMatchObject({ can_read: false, can_write: false });
    else expect([403, 404]).toContain(status);
    const listed = (await list()).find(({ id }) => id === target.hidden);
    if (listed !== undefined) expect(listed).toMatchObject({ can_read: false, can_write: false });
  });

  it.skipIf(!target.other)('§5.2.1: can_read and can_write are those of whoever asks', async () => {
    const { body } = await get(readOnly, { as: 'other' });
    expect(body).toMatchObject({ can_read: true, can_write: true });
    expect((await get(readOnly)).body).toMatchObject({ can_read: true, can_write: false });
  });

  it('§5.2: a collection is described alike in the list and by itself', async () => {
    for (const one of await list()) expect((await get(`collections/${one.id}/`)).body).toEqual(one);
  });

  it('§5.2.1: media_types, if given, are of the form application/stix+json;version=2.1', async () => {
    for (const { media_types = ['application/stix+json'] } of await list()) {
      expect(media_types.some(type => /^application\/stix\+json(;version=2\.1)?$/.test(type))).toBe(true);
      expect(new Set(media_types).size).toBe(media_types.length);
    }
  });

  it('§5.2.1: an alias, if given, can stand in the URL', async () => {
    for (const { id, alias, can_read } of await list()) {
      if (alias === undefined) continue;
      expect((await get(`collections/${alias}/`)).body.id).toBe(id);
      expect((await get(`collections/${alias}/objects/?limit=1`)).status).toBe(can_read ? 200 : 403);
    }
  });

  it('§5.2, interop 3.5.3: an unknown collection is 404', async () => {
    for (const name of [randomUUID(), 'no-such-alias', 'No%20Such', '0', 'x'.repeat(250)]) {
      expect((await get(`collections/${name}/`)).status, name).toBe(404);
    }
  });

  it.skipIf(!target.otherApiRoot)('§4.2: a collection is not found in another API root', async () => {
    for (const path of ['', 'objects/', 'manifest/'])
      expect((await request(`${target.otherApiRoot}${shared}${path}`)).status, path).toBe(404);
  });

  it.skipIf(!target.other || !target.otherApiRoot)(
    '§5.1.1: where nothing is there for a client: {}, or no such API root',
    async () => {
      const { status, body } = await request(`${target.otherApiRoot}collections/`, { as: 'other' });
      if (status === 200) expect(body).toEqual({});
      else expect([403, 404]).toContain(status);
    },
  );
});
