import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { get, post, request, shared, taxii } from './support/client.ts';
import { indicator } from './support/stix.ts';

// Larger bodies than this are not worth sending.
const bytesMax = 8 * 1024 * 1024;

describe('API root', () => {
  it('§4.2, interop 3.3.1: describes itself', async () => {
    const { status, body } = await get('');
    expect(status).toBe(200);
    expect(body.title).not.toBe('');
  });

  it('§4.2.1: versions lists TAXII 2.1, each with its version parameter', async () => {
    const { versions } = (await get('')).body;
    expect(versions).toContain(taxii);
    for (const version of versions) expect(version).toMatch(/;version=\d+\.\d+$/);
  });

  it('§4.2, interop 3.3.2: an unknown API root is 404', async () => {
    for (const path of ['', 'collections/', `collections/${randomUUID()}/`, `status/${randomUUID()}/`]) {
      expect((await request(`/${randomUUID()}/${path}`)).status, path).toBe(404);
    }
  });

  it('§4.2.1: a body one byte smaller than max_content_length is not 413', async context => {
    const { max_content_length: bytes } = (await get('')).body;
    if (bytes > bytesMax) context.skip();
    expect((await post(shared, pad(bytes - 1))).status).toBe(202);
  });

  it('§4.2.1: a body of max_content_length is taken too, as MISP fills it to the last byte', async context => {
    const { max_content_length: bytes } = (await get('')).body;
    if (bytes > bytesMax) context.skip();
    expect((await post(shared, pad(bytes))).status).toBe(202);
  });

  it('§5.5: a body that is said to be larger than max_content_length is 413', async () => {
    const { max_content_length: bytes } = (await get('')).body;
    const headers = { 'content-length': String(bytes + 1), expect: '100-continue' };
    expect((await post(shared, undefined, { headers })).status).toBe(413);
  });

  it('§5.5: a chunked body that turns out larger than max_content_length is 413', async context => {
    const { max_content_length: bytes } = (await get('')).body;
    if (bytes > bytesMax) context.skip();
    const answer = await post(shared, pad(bytes + 1), { headers: { 'transfer-encoding': 'chunked' } });
    expect(answer.status).toBe(413);
  });
});

/** An envelope of exactly so many bytes: small objects, then white space, which any JSON may end with. */
function pad(bytes: number): string {
  const text = JSON.stringify({ objects: [indicator(), indicator()] });
  return text + ' '.repeat(bytes - text.length);
}
