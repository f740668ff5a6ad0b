import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { get, post, remove, request, shared } from './support/client.ts';
import { findProblems } from './support/resources.ts';
import { target } from './support/target.ts';

const unknown = `collections/${randomUUID()}/`;

// Of what is not a request to a TAXII endpoint, the standard says nothing.
const itHouse = it.skipIf(!target.hasHouseRules || !target.url.startsWith('http:'));

// That every error is a TAXII error, with http_status equal to the status, is checked in each answer of each test.
describe('errors', () => {
  it.each<[string, number[], () => Promise<{ status: number }>]>([
    ['an unknown API root', [404], () => request(`/${randomUUID()}/`)],
    ['an unknown collection', [404], () => get(unknown)],
    ['an unknown status', [404], () => get(`status/${randomUUID()}/`)],
    ['a malformed query', [400], () => get(`${shared}objects/?limit=x`)],
    ['a malformed escape in the path', [400, 404], () => get('collections/%zz/')],
    ['a malformed escape in the query', [200, 400], () => get(`${shared}objects/?limit=1&match[id]=%zz`)],
    ['bytes that are not UTF-8 in the path', [400, 404], () => get('collections/%ff/')],
    ['a NUL in the path', [400, 404], () => get('collections/%00/')],
    ['a NUL in an object id', [400, 404], () => get(`${shared}objects/indicator--%00/`)],
    ['a NUL in a filter', [200, 400], () => get(`${shared}objects/?match[id]=%00`)],
    ['a path that climbs', [400, 404], () => get('collections/../../../../etc/passwd')],
    ['a path that climbs, escaped', [400, 404], () => get('collections/%2e%2e%2f%2e%2e%2fetc%2fpasswd/')],
    ['a quote in the path', [404], () => get("collections/'%20or%201=1--/")],
    ['a long path', [400, 404, 414, 431], () => get(`collections/${'a'.repeat(5000)}/`)],
    ['a method that is not defined', [404, 405, 501], () => get(shared, { method: 'PUT' })],
    ['PATCH', [404, 405, 501], () => get(`${shared}objects/`, { method: 'PATCH' })],
    ['DELETE of a collection', [403, 404, 405], () => remove(shared)],
    ['DELETE of all objects', [403, 404, 405], () => remove(`${shared}objects/`)],
    ['POST to the manifest', [404, 405], () => get(`${shared}manifest/`, { method: 'POST' })],
    ['POST to discovery', [404, 405], () => request('/taxii2/', { method: 'POST' })],
    ['a body that is no JSON', [400, 422], () => post(shared, 'nonsense')],
    ['an unsupported media type', [202, 415], () => post(shared, '{}', { headers: { 'content-type': 'text/plain' } })],
  ])('§3.6.1 %s', async (_what, statuses, send) => {
    expect(statuses).toContain((await send()).status);
  });

  it('§3.6.1 has a title that people can read', async () => {
    const { body } = await get(unknown);
    expect(body.title).toMatch(/\w+/);
  });

  it('App. B no error tells of tables, files or stacks', async () => {
    const answers = await Promise.all([
      get("collections/'/"),
      get(`${shared}objects/?match[id]=%00`),
      get(`${shared}objects/?added_after=9999-99-99`),
      get(`${shared}objects/?next=${Buffer.from('{"__proto__":1}').toString('base64url')}`),
      post(shared, '{"objects":[{"type":"indicator","id":"indicator--\\u0000"}]}'),
      post(shared, `{"objects":[${'['.repeat(2000)}${']'.repeat(2000)}]}`),
      post(shared, '{"__proto__":{"a":1},"objects":[{"__proto__":{"type":"indicator"}}]}'),
    ]);
    for (const { status, text } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(text).not.toMatch(
        /select |insert |relation "|pg_|postgres|node_modules|\.[jt]s:\d+|\/(src|dist|home|root)\//i,
      );
    }
  });

  it('§3.6.1 two errors have different error_ids, if they have any', async () => {
    const ids = (await Promise.all([get(unknown), get(unknown)])).map(({ body }) => body.error_id);
    if (ids[0] !== undefined) expect(ids[0]).not.toBe(ids[1]);
  });

  itHouse("a path that is not TAXII's is a TAXII error all the same", async () => {
    for (const path of ['/', '/nothing/at/all/', '/favicon.ico']) expect((await request(path)).status, path).toBe(404);
  });

  itHouse('§3.1 also what is not HTTP at all is answered as TAXII', async () => {
    for (const text of ['nonsense\r\n\r\n', 'GET /taxii2/ HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n']) {
      const [head = '', body = ''] = (await speak(text)).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(head).toMatch(/^content-type: application\/taxii\+json; ?version=2\.1\r?$/im);
      expect(findProblems('error', JSON.parse(body))).toEqual([]);
    }
  });

  itHouse('§3.1 what an HTTP library answers by itself is TAXII as well', async () => {
    for (const text of ['GET /taxii2/ HTTP/1.1\r\n\r\n', 'GET /taxii2/ HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n']) {
      const answer = await speak(text.replace('\r\n', '\r\nConnection: close\r\n'));
      expect(answer).toMatch(/\r\ncontent-type: application\/taxii\+json; ?version=2\.1\r\n/i);
    }
  });

  itHouse('headers that are too long are answered as TAXII', async () => {
    const answer = await speak(`GET /taxii2/ HTTP/1.1\r\nHost: a\r\nx: ${'a'.repeat(300_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|413|431) /);
    expect(answer).toMatch(/\r\ncontent-type: application\/taxii\+json; ?version=2\.1\r\n/i);
  });
});

/** Sends bytes as they are, and gives all that comes back. */
function speak(text: string): Promise<string> {
  const { hostname, port } = new URL(target.url);
  return new Promise(resolve => {
    let received = '';
    const socket = connect(Number(port || 80), hostname, () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', chunk => {
      received += chunk;
    });
    // A server that closes before it has read everything resets the connection after its answer.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}
