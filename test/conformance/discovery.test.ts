import { describe, expect, it } from 'vitest';
import { request } from './support/client.ts';
import { target } from './support/target.ts';

const discover = async (as: 'client' | 'other' = 'client') => (await request('/taxii2/', { as })).body;
const pathOf = (apiRoot: string) => new URL(apiRoot, target.url).pathname;

describe('discovery', () => {
  it('§4.1, §8.2.1, interop 3.2.1: is at /taxii2/ of the server', async () => {
    const answer = await request('/taxii2/');
    expect(answer.status).toBe(200);
    expect(answer.body.title).not.toBe('');
  });

  it('§4.1: a client without a credential gets it, or 401, 403 or 404', async () => {
    expect([200, 401, 403, 404]).toContain((await request('/taxii2/', { as: 'nobody' })).status);
  });

  it('§4.1.1: advertises the API root under test', async () => {
    expect((await discover()).api_roots.map(pathOf)).toContain(target.apiRoot);
  });

  it('§4.1.1: default is one of api_roots to the letter, since clients compare the texts', async () => {
    const { default: preferred, api_roots } = await discover();
    if (preferred !== undefined) expect(api_roots).toContain(preferred);
  });

  it('§4.1.1: API roots end with a slash, so that paths can be added to them', async () => {
    for (const apiRoot of (await discover()).api_roots) expect(apiRoot).toMatch(/\/$/);
  });

  it('§4.1.1: every API root on this server answers', async () => {
    for (const apiRoot of (await discover()).api_roots) {
      if (new URL(apiRoot, target.url).origin !== new URL(target.url).origin) continue;
      expect((await request(pathOf(apiRoot))).status).toBe(200);
    }
  });

  it('is the same at every request', async () => {
    expect(await discover()).toEqual(await discover());
  });

  it.skipIf(!target.other)('§4.1.1: every API root listed for another client answers it', async () => {
    const { api_roots } = await discover('other');
    for (const path of (api_roots ?? []).map(pathOf)) {
      expect((await request(path, { as: 'other' })).status).toBe(200);
    }
  });
});
