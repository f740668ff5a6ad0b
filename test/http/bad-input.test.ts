import { once } from 'node:events';
import { connect } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countLockWaits, startTestHub, type TestHub, taxii } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
let token: string;
const url = '/hub/collections/hostile/objects/';

beforeAll(async () => {
  hub = await startTestHub({
    bodyBytesMax: 4 * 1024 * 1024,
    bodyBytesInFlightMax: 8 * 1024 * 1024,
    envelopeObjectsMax: 5000,
  });
  await hub.addCollection({ alias: 'hostile' });
  token = await hub.tokenFor(await hub.addPartner(), 'collection:hostile:read collection:hostile:write');
});
afterAll(() => hub.close());

const text = JSON.stringify(indicator());
/** an object with a member whose JSON text is `extra` */
const objectWith = (extra: string) => `${JSON.stringify(indicator()).slice(0, -1)},${extra}}`;
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

function expectKind(answer: { statusCode: number; body: string; headers: Record<string, unknown> }): void {
  expect(answer.headers['content-type']).toBe(taxii);
  expect(answer.body).not.toMatch(/at .*\.(ts|js)|node_modules|object_version|relation|syntax error|pg_|SELECT/i);
}

describe('a body that is no envelope is 400', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'objects'],
    ['half of it', `{"objects":[${text}`],
    ['a comma too many', `{"objects":[${text},]}`],
    ['something after the end', `{"objects":[${text}]} x`],
    ['an array', `[${text}]`],
    ['a string', '"objects"'],
    ['null', 'null'],
    ['one object', text],
    ['objects that is no list', '{"objects":{}}'],
    ['an empty list', '{"objects":[]}'],
    ['no objects', '{}'],
    ['objects twice', `{"objects":[${text}],"objects":[]}`],
    ['a raw control character', `{"objects":[${objectWith('"x_a":"\u0001"')}]}`],
    ['a raw NUL', `{"objects":[${objectWith('"x_a":"\u0000"')}]}`],
    ['a number that JSON does not know', `{"objects":[${objectWith('"x_a":01')}]}`],
    ['NaN', `{"objects":[${objectWith('"x_a":NaN')}]}`],
    ['brackets that do not match', `{"objects":[${objectWith('"x_a":[}')}]}`],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"objects":["'), Buffer.from([0xff, 0xfe]), Buffer.from('"]}')])],
    ['UTF-16', Buffer.from(`{"objects":[${text}]}`, 'utf16le')],
  ])('%s', async (_, body) => {
    const answer = await hub.post(token, url, body);
    expect(answer.statusCode).toBe(400);
    expectKind(answer);
  });
});

describe('an object that cannot be taken fails alone, and the others are taken', () => {
  it.each([
    ['nesting of 100,000 lists', objectWith(`"x_a":${nested(100_000)}`)],
    ['nesting of 101 levels', objectWith(`"x_a":${nested(100)}`)],
    ['a lone surrogate', objectWith('"x_a":"\\ud800"')],
    ['a lone surrogate in a key', objectWith('"\\udc00":1')],
    ['__proto__', objectWith('"__proto__":{"admin":true}')],
    ['__proto__ in disguise', objectWith('"x_a":{"\\u005f_proto__":1}')],
    ['an integer beyond 2^53', objectWith('"x_a":12345678901234567890')],
    ['a number', '5'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"indicator"'],
    ['no properties', '{}'],
    ['an id that is SQL', text.replace(/indicator--[^"]*/, "indicator--'; drop table partner; --")],
    ['a separator of ours in the id', text.replace(/indicator--/, 'indicator--\\u001e')],
    ['an id of 1 MB', text.replace(/indicator--/, `indicator--${'a'.repeat(1_000_000)}`)],
    ['a type of 100,000 letters', text.replace('"type":"indicator"', `"type":"${'a'.repeat(100_000)}"`)],
    ['a date in the far future', JSON.stringify(indicator({ modified: '2999-01-01T00:00:00.000Z' }))],
    ['an id that stands twice', text.replace('"id":', '"id":"indicator--0b9fb1a5-1c3b-4a53-8b0c-1f2d3e4f5a6b","id":')],
    ['a nested name that stands twice', text.replace('"name":', '"x_own":[{"a":1,"a":1}],"name":')],
    ['valid_until before valid_from', JSON.stringify(indicator({ valid_until: '2020-01-01T00:00:00Z' }))],
    ['STIX 2.0', JSON.stringify(indicator({ spec_version: undefined }))],
  ])('%s', async (_, bad) => {
    const good = JSON.stringify(indicator());
    const answer = await hub.post(token, url, `{"objects":[${bad},${good}]}`);
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({ total_count: 2, success_count: 1, failure_count: 1 });
    expect(answer.json().failures[0]).toEqual({
      id: expect.any(String),
      version: expect.any(String),
      message: expect.stringMatching(/\w{3}/),
    });
    expect(answer.body.length).toBeLessThan(5000);
    expectKind(answer);
  });

  it('is taken with 200,000 keys, and comes back', async () => {
    const keys = Array.from({ length: 200_000 }, (_, index) => `"k${index}":${index}`).join(',');
    const object = indicator();
    const body = `{"objects":[${JSON.stringify(object).slice(0, -1)},"x_keys":{${keys}}}]}`;
    expect((await hub.post(token, url, body)).statusCode).toBe(202);
    expect((await hub.get(token, `${url}${object.id}/`)).body).toContain(keys);
  });
});

describe('bodies beyond a bound', () => {
  it('are 413 above max_content_length, and never at it', async () => {
    const { max_content_length: max } = (await hub.get(token, '/hub/')).json();
    const body = (bytes: number) => `{"objects":[${text}],"x":"${'y'.repeat(bytes - text.length - 21)}"}`;
    const at = body(max);
    expect(Buffer.byteLength(at)).toBe(max);
    // memberBytesMax bounds members of the shell, not the body: the answer is any but 413.
    expect((await hub.post(token, url, at)).statusCode).not.toBe(413);
    expect(
      (await hub.post(token, url, `{"objects":[${objectWith(`"x_a":"${'y'.repeat(max - 2000)}"`)}]}`)).statusCode,
    ).toBe(202);
    const answer = await hub.post(token, url, body(max + 1));
    expect(answer.statusCode).toBe(413);
    expectKind(answer);
  });

  it('are 422 with too many objects', async () => {
    const answer = await hub.post(token, url, `{"objects":[${Array(5001).fill('1').join(',')}]}`);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().error_code).toBe('envelope-too-many-objects');
  });
});

describe('other requests that are wrong', () => {
  it.each([
    ['text/plain', 415],
    ['application/json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/taxii+json;version=2.0', 415],
    ['', 415],
  ])('a body of type %s is %i', async (type, status) => {
    const answer = await hub.request(token, {
      method: 'POST',
      url,
      headers: { 'content-type': type },
      payload: '{"objects":[]}',
    });
    expect(answer.statusCode).toBe(status);
    expectKind(answer);
  });

  it('a compressed body is 415', async () => {
    const headers = { 'content-type': taxii, 'content-encoding': 'gzip' };
    expect((await hub.request(token, { method: 'POST', url, headers, payload: 'x' })).statusCode).toBe(415);
  });

  it.each(['/hub/%zz/', '/%', '/hub/collections/%c3%28/objects/'])('the path %s is 400', async path => {
    const answer = await hub.get(token, path);
    expect(answer.statusCode).toBe(400);
    expectKind(answer);
  });

  it.each([
    '/nowhere/at/all',
    '/hub/collections/hostile/nothing/',
    "/hub/collections/x'%20or%201=1/",
    '/hub/collections/%00/objects/',
    '/hub/status/1/',
    `/hub/status/${'-'.repeat(36)}/`,
    '/%00/status/6ba7b810-9dad-41d1-80b4-00c04fd430c8/',
    '/%00/',
  ])('the path %s is 404', async path => {
    const answer = await hub.get(token, path);
    expect(answer.statusCode).toBe(404);
    expectKind(answer);
  });

  it.each(['PUT', 'PATCH', 'OPTIONS', 'DELETE'] as const)(
    'the method %s is 405 and says what is allowed',
    async method => {
      const answer = await hub.request(token, { method, url });
      expect(answer.statusCode).toBe(405);
      expect(answer.headers.allow).toBe('GET, HEAD, POST');
      expectKind(answer);
    },
  );
});

/** Speaks HTTP by hand. */
async function dial(
  on: TestHub,
  bytes: string,
): Promise<{ begun: Promise<unknown>; heard: Promise<string>; hangUp: () => void }> {
  const origin = on.app.server.listening ? on.app.listeningOrigin : await on.app.listen({ port: 0 });
  const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(bytes));
  const heard = new Promise<string>((resolve, reject) => {
    let text = '';
    socket.on('data', chunk => {
      text += chunk;
    });
    socket.on('close', () => resolve(text)).on('error', reject);
  });
  return { begun: once(socket, 'data'), heard, hangUp: () => socket.destroy() };
}

describe('too much at once', () => {
  it('is 503 with Retry-After for bodies beyond the bound, until the others are through or given up', async () => {
    const small = await startTestHub({ bodyBytesMax: 100_000, bodyBytesInFlightMax: 150_000 });
    await small.addCollection({ alias: 'narrow' });
    const writer = await small.tokenFor(await small.addPartner(), 'collection:narrow:write');
    const narrow = '/hub/collections/narrow/objects/';
    const push = () => small.post(writer, narrow, { objects: [indicator({ description: 'x'.repeat(60_000) })] });
    expect((await push()).statusCode).toBe(202);
    const head = `POST ${narrow} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${writer}\r\ncontent-type: ${taxii}\r\n`;
    const slow = await dial(small, `${head}content-length: 100000\r\nexpect: 100-continue\r\n\r\n`);
    // It must be the first to reserve its place: 100 Continue comes when its headers have been dealt with.
    await slow.begun;
    await expect.poll(async () => (await push()).statusCode).toBe(503);
    const answer = await push();
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.json().error_code).toBe('overloaded');
    slow.hangUp();
    await expect.poll(async () => (await push()).statusCode).toBe(202);
    await small.close();
  });

  it('counts no body whose client hung up while it was written', async () => {
    const small = await startTestHub({ bodyBytesMax: 100_000, bodyBytesInFlightMax: 150_000 });
    const { id } = await small.addCollection({ alias: 'narrow' });
    const writer = await small.tokenFor(await small.addPartner(), 'collection:narrow:write');
    const narrow = '/hub/collections/narrow/objects/';
    const body = JSON.stringify({ objects: [indicator({ description: 'x'.repeat(90_000) })] });
    const head = `POST ${narrow} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${writer}\r\ncontent-type: ${taxii}\r\n`;
    await small.database.db.transaction().execute(async tx => {
      await sql`select from collection where id = ${id} for update`.execute(tx);
      const gone = await dial(small, `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      await expect.poll(() => countLockWaits(small)).toBe(1);
      gone.hangUp();
      await gone.heard;
    });
    for (let round = 0; round < 3; round += 1) {
      const answer = () => small.post(writer, narrow, { objects: [indicator({ description: 'x'.repeat(90_000) })] });
      await expect.poll(async () => (await answer()).statusCode).toBe(202);
    }
    await small.close();
  });
});

describe('what is not HTTP at all', () => {
  const speak = async (bytes: string) => (await dial(hub, bytes)).heard;

  it('gets a TAXII error, and the hub lives on', async () => {
    expect(await speak('BLAH\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 [\s\S]*application\/taxii\+json;version=2.1[\s\S]*request-malformed/,
    );
    const long = `GET /taxii2/ HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(200_000)}\r\n\r\n`;
    expect(await speak(long)).toMatch(/^HTTP\/1.1 431 [\s\S]*headers-too-large/);
    expect((await hub.get(token, '/taxii2/')).statusCode).toBe(200);
  });
});

describe('without a credential', () => {
  it('a body for a path that is not served is not even read', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await hub.app.inject({ method: 'POST', url: '/a/b/c/d/e/', headers, payload: '{bad' });
    expect(answer.statusCode).toBe(404);
    expectKind(answer);
  });
});

describe('very many bad objects', () => {
  it('get an answer of bounded size: reasons for the first ones, and no more for the rest', async () => {
    const many = await startTestHub();
    await many.addCollection({ alias: 'many' });
    const writer = await many.tokenFor(await many.addPartner(), 'collection:many:write');
    const bad = Array(20_000).fill({ type: 'indicator' });
    const answer = await many.post(writer, '/hub/collections/many/objects/', { objects: [...bad, indicator()] });
    expect(answer.json()).toMatchObject({ failure_count: 20_000, success_count: 1 });
    expect(answer.json().failures[0].message).toContain('/pattern is required');
    expect(answer.json().failures.at(-1).message).toMatch(/send it again with fewer objects/);
    expect(answer.body.length).toBeLessThan(8 * 1024 * 1024);
    const refused = await many.post(writer, '/hub/collections/many/objects/', { objects: bad });
    expect(refused.json().details.failures).toHaveLength(1000);
    await many.close();
  });
});
