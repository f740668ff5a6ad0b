import { beforeAll, describe, expect, it } from 'vitest';
import { get, idsOf, matchOf, post, push, query, request, shared, taxii, waitUntilComplete } from './support/client.ts';
import { domainName, indicator, indicators, malware, statementMarking } from './support/stix.ts';
import { target } from './support/target.ts';

// How clients in use behave beyond what the standard defines. A server may do otherwise and conform; those who poll it
// with these clients will not be glad. So these tests run against a server that keeps the rules of this house.
const describeHouse = describe.skipIf(!target.hasHouseRules);

const batch = indicators(3);
beforeAll(async () => {
  await push(batch);
});

describeHouse('slashes', () => {
  const root = target.apiRoot.replace(/\/$/, '');
  const path = shared.replace(/\/$/, '');

  it.each([
    ['discovery', '/taxii2', '/taxii2/'],
    ['API root', root, `${root}/`],
    ['collections', `${root}/collections`, `${root}/collections/`],
    ['collection', `${root}/${path}`, `${root}/${path}/`],
    ['objects', `${root}/${path}/objects?limit=1`, `${root}/${path}/objects/?limit=1`],
    ['manifest', `${root}/${path}/manifest?limit=1`, `${root}/${path}/manifest/?limit=1`],
    ['object', `${root}/${path}/objects/${batch[0]?.id}`, `${root}/${path}/objects/${batch[0]?.id}/`],
    [
      'versions',
      `${root}/${path}/objects/${batch[0]?.id}/versions`,
      `${root}/${path}/objects/${batch[0]?.id}/versions/`,
    ],
  ])('§3.1 without the last one, %s is served alike and without a redirect', async (_name, without, usual) => {
    const [bare, right] = [await request(without), await request(usual)];
    expect(bare.status).toBe(200);
    expect(bare.body).toEqual(right.body);
  });

  it('§3.1 without the last one, a POST is taken and a status found', async () => {
    const { status, body } = await request(`${root}/${path}/objects`, {
      method: 'POST',
      headers: { 'content-type': taxii },
      body: { objects: [indicator()] },
    });
    expect(status).toBe(202);
    expect((await request(`${root}/status/${body.id}`)).status).toBe(200);
  });

  it('MISP: doubled slashes are served', async () => {
    for (const doubled of ['//taxii2/', `/${root}/`, `/${root}//collections//`, `/${root}//${path}//objects/?limit=1`])
      expect((await request(doubled)).status, doubled).toBe(200);
  });
});

describeHouse('MISP', () => {
  it.skipIf(!target.basic)('browses with basic in lower case and a Content-Type on GET', async () => {
    const headers = {
      authorization: `basic ${Buffer.from(target.basic ?? '').toString('base64')}`,
      'content-type': taxii,
    };
    for (const path of [
      '/taxii2/',
      target.apiRoot,
      `${target.apiRoot}collections/`,
      `${target.apiRoot}${shared}objects/?limit=50`,
    ])
      expect((await request(path, { headers })).status, path).toBe(200);
  });

  it('keeps only the last segment of an API root and puts it after the host', async () => {
    const { api_roots } = (await request('/taxii2/')).body;
    for (const apiRoot of api_roots) {
      const segment = new URL(apiRoot, target.url).pathname.split('/').filter(Boolean).at(-1);
      expect((await request(`//${segment}/collections/`)).status).toBe(200);
    }
  });
});

describeHouse('Content-Type on GET', () => {
  it.each([taxii, 'application/json', 'application/vnd.oasis.stix+json; version=2.0', 'text/plain', 'nonsense'])(
    'Elastic: %s is ignored',
    async contentType => {
      expect((await get(`${shared}objects/?limit=1`, { headers: { 'content-type': contentType } })).status).toBe(200);
    },
  );
});

describeHouse('media types', () => {
  it.each([
    'application/vnd.oasis.taxii+json; version=2.0',
    'application/vnd.oasis.taxii+json',
    'application/taxii+json;version=2.0',
  ])('MineMeld, XSOAR: %s alone is 406, which tells them the version', async accept => {
    for (const path of ['/taxii2/', target.apiRoot, `${target.apiRoot}collections/`])
      expect((await request(path, { headers: { accept } })).status, path).toBe(406);
  });

  it('taxii2client: Content-Type is the very text that it compares with', async () => {
    const answers = [await request('/taxii2/'), await get(`${shared}objects/?limit=1`), await get('collections/none/')];
    for (const { headers } of answers) expect(headers['content-type']).toBe(taxii);
  });

  it('curl: */* and no Accept are served', async () => {
    for (const accept of ['*/*', 'application/*', undefined])
      expect((await get(`${shared}objects/?limit=1`, { headers: { accept } })).status, accept).toBe(200);
  });
});

describeHouse('STIX bundle as the body', () => {
  const bundle = (objects: object[], properties = {}) => ({
    type: 'bundle',
    id: indicator().id.replace('indicator', 'bundle'),
    ...properties,
    objects,
  });

  it.each([
    ['stix2, Splunk: with the TAXII media type', taxii],
    ['OpenCTI: with a STIX media type and a blank', 'application/stix+json; version=2.1'],
    ['with a STIX media type', 'application/stix+json;version=2.1'],
    ['with the TAXII media type without a version', 'application/taxii+json'],
  ])('%s', async (_what, contentType) => {
    const objects = [indicator(), statementMarking(), domainName()];
    const headers = { 'content-type': contentType, accept: 'application/taxii+json; version=2.1' };
    const { status, body } = await post(shared, bundle(objects, { spec_version: '2.1' }), { headers });
    expect(status).toBe(202);
    expect(await waitUntilComplete(body)).toMatchObject({ total_count: 3, success_count: 3 });
    expect((await get(`${shared}objects/${query(matchOf(objects))}`)).body.objects).toEqual(objects);
  });

  it('is nothing that comes back', async () => {
    const object = malware();
    const sent = bundle([object]);
    await post(shared, sent);
    expect((await get(`${shared}objects/${sent.id}/`)).status).toBe(404);
    const { body } = await get(`${shared}objects/${object.id}/`);
    expect(Object.keys(body).sort()).toEqual(['more', 'objects']);
  });
});

describeHouse('taxii2client', () => {
  it('finds the status from the URL of the objects', async () => {
    const { body } = await post(shared, { objects: [indicator()] });
    const url = new URL(`../../status/${body.id}/`, new URL(`${target.apiRoot}${shared}`, target.url));
    expect((await request(url.pathname)).status).toBe(200);
  });

  it('joins the values of a filter with escaped commas', async () => {
    const text = `match%5Bid%5D=${idsOf(batch).join('%2C')}&match%5Bversion%5D=all`;
    expect(idsOf((await get(`${shared}objects/?${text}`)).body.objects)).toEqual(idsOf(batch));
  });
});

describeHouse('added_after', () => {
  it.each([
    '2020-01-01T00:00:00+00:00',
    '2020-01-01T00:00:00 00:00',
    '2020-01-01T02:00:00.000+02:00',
    '2020-01-01T00:00:00.123456789Z',
    '2020-01-01t00:00:00z',
  ])('is understood as %s', async text => {
    const { status, body } = await get(`${shared}objects/${query({ ...matchOf(batch), added_after: text })}`);
    expect(status).toBe(200);
    expect(idsOf(body.objects)).toEqual(idsOf(batch));
  });

  it('with an offset means the instant', async () => {
    const { headers } = await get(`${shared}objects/${query({ ...matchOf(batch), limit: 1 })}`);
    const first = String(headers['x-taxii-date-added-first']);
    const shifted = `${new Date(Date.parse(first) + 7_200_000).toISOString().slice(0, 19)}${first.slice(19, 26)}+02:00`;
    const { body } = await get(`${shared}objects/${query({ ...matchOf(batch), added_after: shifted })}`);
    expect(idsOf(body.objects)).toEqual(idsOf(batch.slice(1)));
  });
});

describeHouse('Cursors', () => {
  it('OpenCTI connector: one of another collection is 400, also after paging there', async () => {
    const { next } = (await get(`${shared}objects/${query({ limit: 1, added_after: '2020-01-01T00:00:00Z' })}`)).body;
    expect((await get(`collections/${target.readOnly}/objects/${query({ next, limit: 1 })}`)).status).toBe(400);
    expect((await get(`collections/${target.readOnly}/objects/${query({ limit: 1 })}`)).status).toBe(200);
  });

  it('the manifest gives next, which the standard does not define there, and goes on by it', async () => {
    const first = (await get(`${shared}manifest/${query({ ...matchOf(batch), limit: 2 })}`)).body;
    expect(first).toMatchObject({ more: true, next: expect.any(String) });
    const rest = (await get(`${shared}manifest/${query({ next: first.next })}`)).body;
    expect(idsOf([...first.objects, ...rest.objects])).toEqual(idsOf(batch));
  });
});
