import { describe, expect, it } from 'vitest';
import { get, idsOf, push, query, readOnly, remove, request, shared } from './support/client.ts';
import { indicator, indicators, revise, statementMarking } from './support/stix.ts';
import { target } from './support/target.ts';

const [v1, v2, v3] = ['2020-03-01T10:00:00.000Z', '2020-03-02T00:00:00.000Z', '2020-03-03T00:00:00.000Z'] as const;

async function pushVersions() {
  const first = indicator();
  const versions = [first, revise(first, v2), revise(first, v3)] as const;
  await push([...versions]);
  return { path: `${shared}objects/${first.id}/`, id: first.id, versions };
}

describe('DELETE object', () => {
  it('§5.7, §5.7.1, interop 3.12.1: is 200 and removes it from everywhere', async () => {
    const [object, neighbour] = indicators(2) as [ReturnType<typeof indicator>, ReturnType<typeof indicator>];
    await push([object, neighbour]);
    const path = `${shared}objects/${object.id}/`;
    expect((await remove(path)).status).toBe(200);
    expect((await get(path)).status).toBe(404);
    expect((await get(`${path}versions/`)).status).toBe(404);
    for (const list of ['objects/', 'manifest/']) {
      const { body } = await get(
        `${shared}${list}${query({ 'match[id]': idsOf([object, neighbour]).join(','), 'match[version]': 'all' })}`,
      );
      expect(idsOf(body.objects), list).toEqual([neighbour.id]);
    }
  });

  it('§5.7: the answer has the TAXII media type', async () => {
    const object = indicator();
    await push([object]);
    const { headers } = await remove(`${shared}objects/${object.id}/`);
    expect(headers['content-type']).toMatch(/^application\/taxii\+json; ?version=2\.1$/);
  });

  it('§5.7: removes all versions', async () => {
    const { path } = await pushVersions();
    expect((await remove(path)).status).toBe(200);
    expect((await get(`${path}?match[version]=all`)).status).toBe(404);
  });

  it('§5.7: a second time is 404', async () => {
    const { path } = await pushVersions();
    expect((await remove(path)).status).toBe(200);
    expect((await remove(path)).status).toBe(404);
  });

  it('§5.7: match[version] removes just that version', async () => {
    const { path, versions } = await pushVersions();
    expect((await remove(`${path}?match[version]=${v2}`)).status).toBe(200);
    expect((await get(`${path}versions/`)).body.versions.sort()).toEqual([v1, v3]);
    expect((await get(path)).body.objects).toEqual([versions[2]]);
    expect((await remove(`${path}?match[version]=${v2}`)).status).toBe(404);
  });

  it('§5.7: when the last version goes, the one before is the last', async () => {
    const { path, id, versions } = await pushVersions();
    expect((await remove(`${path}?match[version]=last`)).status).toBe(200);
    expect((await get(path)).body.objects).toEqual([versions[1]]);
    expect((await get(`${shared}objects/?match[id]=${id}`)).body.objects).toEqual([versions[1]]);
    expect((await remove(`${path}?match[version]=first`)).status).toBe(200);
    expect((await get(`${path}?match[version]=first`)).body.objects).toEqual([versions[1]]);
  });

  it('§5.7: match[version]=all removes all versions', async () => {
    const { path } = await pushVersions();
    expect((await remove(`${path}?match[version]=all`)).status).toBe(200);
    expect((await get(path)).status).toBe(404);
  });

  it('§5.7: match[spec_version] removes nothing of another version', async () => {
    const { path } = await pushVersions();
    expect((await remove(`${path}?match[spec_version]=2.0`)).status).toBe(404);
    expect((await get(`${path}versions/`)).body.versions.sort()).toEqual([v1, v2, v3]);
    expect((await remove(`${path}?match[spec_version]=2.1`)).status).toBe(200);
    expect((await get(path)).status).toBe(404);
  });

  it('§5.7: what was deleted can be added again, and comes to pollers as new', async () => {
    const { path, versions } = await pushVersions();
    const last = String((await get(path)).headers['x-taxii-date-added-last']);
    await remove(path);
    await push([versions[2]]);
    const again = await get(path);
    expect(again.body.objects).toEqual([versions[2]]);
    expect(String(again.headers['x-taxii-date-added-last']) > last).toBe(true);
  });

  it('§5.7: an object without modified is deleted too', async () => {
    const marking = statementMarking();
    await push([marking]);
    expect((await remove(`${shared}objects/${marking.id}/`)).status).toBe(200);
  });

  it('§5.7: a refused deletion deletes nothing', async () => {
    const { body } = await get(`${readOnly}objects/?limit=1`);
    const id = body.objects?.[0]?.id;
    if (id === undefined) return;
    expect((await remove(`${readOnly}objects/${id}/`)).status).toBe(403);
    expect((await get(`${readOnly}objects/${id}/`)).status).toBe(200);
  });

  it('§5.7: a Content-Type without a body, as clients send it, does no harm', async () => {
    for (const contentType of ['application/taxii+json;version=2.1', 'application/json', 'text/plain']) {
      const object = indicator();
      await push([object]);
      const path = `${target.apiRoot}${shared}objects/${object.id}/`;
      const headers = { 'content-type': contentType, 'content-length': '0' };
      expect((await request(path, { method: 'DELETE', headers })).status, contentType).toBe(200);
    }
  });
});
