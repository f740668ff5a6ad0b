import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';

interface Schema {
  [keyword: string]: unknown;
}

const folder = new URL('../../../schemas/stix/2.1/', import.meta.url);
const schemas: Schema[] = readdirSync(folder).map(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

const noSchemas = ['const', 'enum'];
/** What they say of a property, they say of one that is described elsewhere. */
const conditions = ['if', 'then', 'else'];

/** Every schema object inside a schema, itself included; the maps of properties and definitions are no schemas. */
function* partsOf(schema: unknown, without: string[] = []): Generator<Schema> {
  if (typeof schema !== 'object' || schema === null) return;
  if (!Array.isArray(schema)) yield schema as Schema;
  for (const [keyword, value] of Object.entries(schema)) {
    if (['properties', 'patternProperties', '$defs'].includes(keyword)) {
      for (const part of Object.values(value)) yield* partsOf(part, without);
    } else if (!noSchemas.includes(keyword) && !without.includes(keyword)) {
      yield* partsOf(value, without);
    }
  }
}

/** Whether a schema says in words what it is about, or the definition in the same document does that it refers to. */
function isDescribed(property: Schema, { $defs }: Schema): boolean {
  const definition = String(property.$ref).replace(/^#\/\$defs\//, '');
  return Boolean(property.description ?? ($defs as Record<string, Schema> | undefined)?.[definition]?.description);
}

const patterns = [...new Set(schemas.flatMap(schema => [...partsOf(schema)]).map(part => part.pattern))].filter(
  pattern => typeof pattern === 'string',
);

describe('the schemas', () => {
  it('have patterns that other languages read: no code points and properties in the spelling of JavaScript', () => {
    expect(patterns.filter(pattern => /\\[uxpP]\{/.test(pattern as string))).toEqual([]);
  });

  it('compile in a strict ajv that knows nothing of this project, and judge', () => {
    const ajv = new Ajv2020({ strict: true, schemas });
    addFormats.default(ajv);
    const validate = ajv.getSchema('https://taxiway.example/schemas/stix/2.1/indicator.json');
    const indicator = {
      type: 'indicator',
      spec_version: '2.1',
      id: 'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f',
      created: '2016-04-06T20:03:48.000Z',
      modified: '2016-04-06T20:03:48.000Z',
      pattern: 'a',
      pattern_type: 'yara',
      valid_from: '2016-04-06T20:03:48Z',
    };
    expect(validate?.(indicator)).toBe(true);
    expect(validate?.({ ...indicator, valid_from: '2016-02-30T20:03:48Z' })).toBe(false);
    expect(validate?.({ ...indicator, id: 'report--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f' })).toBe(false);
  });

  it.each(schemas.map(schema => [schema.$id, schema] as const))(
    '%s describes itself and each property',
    (_, schema) => {
      expect(schema).toMatchObject({ title: expect.any(String), description: expect.any(String) });
      const parts = [...partsOf(schema, conditions)];
      const properties = parts.flatMap(part => Object.entries((part.properties ?? {}) as Schema));
      const undescribed = properties.filter(
        ([, property]) => property !== true && !isDescribed(property as Schema, schema),
      );
      expect(undescribed).toEqual([]);
    },
  );

  it.each(patterns)('%s stays linear and within the stack on texts of megabytes', pattern => {
    const expression = new RegExp(pattern, 'u');
    const length = 4_000_000;
    const units = [
      'a',
      '-a',
      'a-',
      '.a',
      '[0].',
      '--',
      '0',
      '%',
      '%41',
      ':',
      'http:',
      'x-',
      '-12',
      '2020-01-01T00:00:00.',
    ];
    for (const unit of units) {
      for (const text of [unit.repeat(length / unit.length), `a${unit.repeat(length / unit.length)}\n`]) {
        const before = process.cpuUsage();
        expression.test(text);
        expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
      }
    }
  });
});
