import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator } from '../../src/db/audit.ts';
import { findCollection } from '../../src/db/collections.ts';
import { importObjects } from '../../src/taxii/import.ts';
import { required, startTestHub, type TestHub } from '../support/hub.ts';
import { indicator } from '../support/stix.ts';

let hub: TestHub;
let token: string;
let partnerId: string;
const collections = { strict: '', tolerant: '' };
beforeAll(async () => {
  hub = await startTestHub();
  const partner = await hub.addPartner();
  partnerId = partner.id;
  collections.tolerant = (await hub.addCollection()).id;
  collections.strict = (await hub.addCollection({ validation: 'strict' })).id;
  token = await hub.tokenFor(partner, 'collection:*:read collection:*:write');
});
afterAll(() => hub.close());

const objectsOf = (policy: 'strict' | 'tolerant') => `/hub/collections/${collections[policy]}/objects/`;

function relationship(properties: Record<string, unknown>): Record<string, unknown> & { id: string } {
  return {
    type: 'relationship',
    spec_version: '2.1',
    id: `relationship--${randomUUID()}`,
    created: '2026-03-01T10:00:00.000Z',
    modified: '2026-03-01T10:00:00.000Z',
    relationship_type: 'uses',
    source_ref: `threat-actor--${randomUUID()}`,
    target_ref: `malware--${randomUUID()}`,
    ...properties,
  };
}
const start_time = '2026-03-01T10:00:00Z';
const rule = '/stop_time must be later than /start_time (STIX 2.1 §5.1.2, stop-time-order)';

describe('the policy of a collection', () => {
  it('tolerant takes what real producers send, unchanged, and says so in the status', async () => {
    const object = relationship({ start_time, stop_time: start_time });
    const answer = await hub.post(token, objectsOf('tolerant'), { objects: [object] });
    expect(answer.statusCode).toBe(202);
    expect(answer.json().successes).toEqual([
      { id: object.id, version: object.modified, message: `taken, but ${rule}` },
    ]);
    const stored = await hub.get(token, `${objectsOf('tolerant')}${object.id}/`);
    expect(stored.body).toContain(JSON.stringify(object));
  });

  it('strict refuses it', async () => {
    const object = relationship({ start_time, stop_time: start_time });
    const answer = await hub.post(token, objectsOf('strict'), { objects: [object, indicator()] });
    expect(answer.statusCode).toBe(202);
    expect(answer.json().failures).toEqual([{ id: object.id, version: object.modified, message: rule }]);
    expect(answer.json().success_count).toBe(1);
  });

  it('both refuse what would break a consumer, with every problem of an object', async () => {
    const object = relationship({ source_ref: `report--${randomUUID()}`, target_ref: 'nobody', relationship_type: 7 });
    for (const policy of ['strict', 'tolerant'] as const) {
      const answer = await hub.post(token, objectsOf(policy), { objects: [object] });
      expect(answer.statusCode).toBe(422);
      const [{ message }] = answer.json().details.failures;
      expect(message).toContain('/target_ref must be an identifier');
      expect(message).toContain('/relationship_type must be a string');
    }
  });

  it('holds for imports too', async () => {
    const object = relationship({ start_time, stop_time: start_time });
    const body = Buffer.from(JSON.stringify({ objects: [object] }));
    for (const [policy, result] of [
      ['strict', 'refused'],
      ['tolerant', 'added'],
    ] as const) {
      const row = required(await findCollection(hub.hub.db, collections[policy]));
      const results: string[] = [];
      const chunks = (async function* () {
        yield body;
      })();
      await importObjects(hub.hub, row, { partnerId, partner: 'partner', actor: operator }, chunks, ({ outcomes }) => {
        results.push(...outcomes.map(outcome => outcome.result));
      });
      expect(results).toEqual([result]);
    }
  });
});

describe('GET /schemas/stix/2.1/…', () => {
  it('gives every schema to everybody, each complete in itself', async () => {
    const files = await readdir(new URL('../../schemas/stix/2.1/', import.meta.url));
    expect(files.length).toBeGreaterThan(40);
    for (const file of files) {
      const answer = await hub.app.inject(`/schemas/stix/2.1/${file}`);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^application\/schema\+json/);
      const schema = answer.json();
      expect(schema).toMatchObject({ $id: expect.stringContaining(file), title: expect.any(String) });
      // An instance of its own: nothing else is loaded.
      new Ajv2020({ strict: true, formats: { 'date-time': true } }).compile(schema);
    }
  });

  it('a partner can check an object with it before sending', async () => {
    const schema = (await hub.app.inject('/schemas/stix/2.1/indicator.json')).json();
    const validate = new Ajv2020({ strict: true, formats: { 'date-time': true } }).compile(schema);
    expect(validate(indicator())).toBe(true);
    expect(validate(indicator({ pattern_type: undefined, valid_from: 'yesterday' }))).toBe(false);
  });

  it('knows no other file', async () => {
    for (const name of ['nothing.json', '..%2fpackage.json', '__proto__', 'constructor.json']) {
      expect((await hub.app.inject(`/schemas/stix/2.1/${name}`)).statusCode).toBe(404);
    }
  });
});
