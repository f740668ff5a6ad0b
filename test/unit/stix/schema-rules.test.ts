import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/stix/catalogue.ts';
import { readSchemas } from '../../../src/stix/schemas.ts';
import {
  canonical,
  definition,
  deviations,
  expectOnly,
  judge,
  ofDefinition,
  type Path,
  pointer,
  type Sample,
  samples,
  uuid,
  withValue,
} from '../../support/judging.ts';

interface Schema {
  $ref?: string;
  title?: string;
  type?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  minProperties?: number;
  pattern?: string;
  required?: string[];
  properties?: Record<string, Schema | true>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  $defs?: Record<string, Schema>;
  then?: Schema;
  if?: Schema;
  else?: Schema;
  not?: Schema;
}

/** A schema, and the document that its references start from. */
interface Described {
  schema: Schema;
  document: Schema;
}

/** A value in a sample, and all that the schemas say of it. */
interface Place {
  path: Path;
  value: unknown;
  described: Described[];
}

const documents = readSchemas() as Map<string, Schema>;
const common = documents.get('common') as Schema;
const conditions = new Ajv2020({ strict: false });

/** All the schemas that a schema makes of itself for a value: what it refers to, and what its conditions lead to. */
function allOf({ schema, document }: Described, value: unknown): Described[] {
  const parts: Described[] = (schema.allOf ?? []).map(part => ({ schema: part, document }));
  if (schema.$ref) parts.unshift(referred(schema.$ref, document));
  const branch = schema.if && (conditions.validate(schema.if, value) ? schema.then : schema.else);
  if (branch) parts.push({ schema: branch, document });
  return [{ schema, document }, ...parts.flatMap(part => allOf(part, value))];
}

function referred(reference: string, document: Schema): Described {
  const target = reference.startsWith('#') ? document : common;
  return { schema: target.$defs?.[reference.split('/').at(-1) as string] as Schema, document: target };
}

function childOf({ schema, document }: Described, key: string | number): Described[] {
  const { properties = {}, patternProperties = {}, additionalProperties, items } = schema;
  const named = Object.entries(patternProperties).filter(([pattern]) => new RegExp(pattern).test(`${key}`));
  const found = [properties[key], ...named.map(([, part]) => part)].filter(part => part !== undefined);
  const rest = typeof key === 'number' ? items : found.length === 0 ? additionalProperties : undefined;
  return [...found, rest].flatMap(part => (typeof part === 'object' ? { schema: part, document } : []));
}

/** Every value of a sample that a schema describes. */
function placesOf(sample: Sample): Place[] {
  const type = sample.type as string;
  const isDated = sample.modified !== undefined;
  const schema = documents.get(type) ?? (common.$defs?.[isDated ? 'versioned-object' : 'observable'] as Schema);
  const document = documents.has(type) ? schema : common;
  const places: Place[] = [{ path: [], value: sample, described: allOf({ schema, document }, sample) }];
  for (const { path, value, described } of places) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, child] of Object.entries(value)) {
      const key = Array.isArray(value) ? Number(name) : name;
      const parts = described.flatMap(part => childOf(part, key)).flatMap(part => allOf(part, child));
      if (parts.length > 0) places.push({ path: [...path, key], value: child, described: parts });
    }
  }
  return places;
}

interface Change {
  object: Sample;
  code: ProblemCode;
  path: string;
}

/** The changes that the schemas say are wrong, at each place of a sample. */
function wrongChanges(sample: Sample): Change[] {
  const places = placesOf(sample).filter(place => !isElsewhere(sample, pointer(place.path)));
  return places.flatMap(place => {
    const schemas = place.described.map(({ schema }) => schema);
    const missing = schemas.flatMap(({ required = [] }) => required).filter(name => name !== 'type');
    const values = place.path.length === 0 ? [] : wrongValues(place.value, schemas);
    return [
      ...missing.map(name => withoutProperty(sample, [...place.path, name])),
      ...values.map(([code, value]) => ({
        object: withValue(sample, place.path, value),
        code,
        path: pointer(place.path),
      })),
    ];
  });
}

// What others depend on: the table in rules.test.ts says what happens without a right one.
function isElsewhere({ type, defanged }: Sample, path: string): boolean {
  if (path === '/type' || path === '/objects/1/type') return true;
  if (path === '/defanged') return defanged === true;
  return type === 'extension-definition' && (path === '/extension_types' || path === '/extension_types/1');
}

const codeWithout: Record<string, ProblemCode> = {
  extension_type: 'extension-type-missing',
  modified: 'modified-missing',
  spec_version: 'spec-version-unsupported',
};

function withoutProperty(sample: Sample, path: Path): Change {
  // What is left must not be empty, which is wrong too.
  const other = path.length > 1 ? withValue(sample, [...path.slice(0, -1), 'x_left'], 1) : sample;
  const code = codeWithout[path.at(-1) as string] ?? 'property-missing';
  return { object: withValue(other, path, undefined), code, path: pointer(path) };
}

function wrongValues(value: unknown, schemas: Schema[]): [ProblemCode, unknown][] {
  const wrong = [...wrongTypes(schemas), ...schemas.flatMap(({ title }) => wrongForms(title, `${value}`))];
  for (const { enum: allowed, minItems, minProperties, minimum, maximum } of schemas) {
    if (allowed) wrong.push(['value-not-allowed', 'no-such-value']);
    if (minItems) wrong.push(['list-empty', []]);
    if (minProperties && !demands(schemas)) wrong.push(['dictionary-empty', {}]);
    if (minimum !== undefined) wrong.push(['value-out-of-range', minimum - 1]);
    if (maximum !== undefined) wrong.push(['value-out-of-range', maximum + 1]);
  }
  for (const reference of wrongReferences(schemas)) wrong.push(['reference-type', reference]);
  return wrong;
}

const ofEachType: Record<string, unknown> = {
  array: ['text'],
  boolean: true,
  integer: 17,
  number: 17.5,
  object: { x_own: 1 },
  string: 'text',
};

/** Values of types that no schema of the place allows. */
function wrongTypes(schemas: Schema[]): [ProblemCode, unknown][] {
  const allowed = new Set(schemas.flatMap(({ type }) => type ?? []));
  if (allowed.size === 0) return [];
  if (allowed.has('number')) allowed.add('integer');
  // Values of ipfix and exif_tags are texts or whole numbers.
  if (schemas.some(schema => schema.if?.type === 'number')) allowed.add('integer').add('string');
  const isHeader = schemas.some(schema => schema.then?.title === 'header values');
  return Object.entries(ofEachType)
    .filter(([type]) => !allowed.has(type))
    .map(([type, value]) => [isHeader && type === 'string' ? 'header-value-invalid' : 'value-type', value]);
}

/** Whether an empty object breaks more rules than that it is empty. */
function demands(schemas: Schema[]): boolean {
  return schemas.some(({ required, anyOf, oneOf }) => required?.length || anyOf || oneOf);
}

/** Texts that have not the form that the title of a schema names. */
function wrongForms(title: string | undefined, old: string): [ProblemCode, string][] {
  switch (title) {
    case 'identifier':
      return [
        ['identifier-invalid', 'harbour'],
        // The first digit of the third group is the version.
        ['uuid-invalid', old.replace(/(--.{14})./, '$10')],
      ];
    case 'timestamp':
      return [
        ['timestamp-invalid', '2023-02-29T00:00:00.000Z'],
        ['timestamp-invalid', old.replace('Z', '+00:00')],
      ];
    case 'lower-case hexadecimal':
      return [['hexadecimal-invalid', `${old}0`]];
    case 'hash value':
      return old.length > 16 ? [['hash-value-invalid', `${old}!`]] : [];
    case 'URL':
      return [['url-invalid', `${old} `]];
    default:
      return [];
  }
}

const otherTypes = [...documents.keys()].filter(name => name !== 'common');

/** Identifiers of every type that the place may not refer to. */
function wrongReferences(schemas: Schema[]): string[] {
  const patterns = schemas.flatMap(({ title, pattern }) => (title?.startsWith('reference to ') ? (pattern ?? []) : []));
  return patterns.flatMap(pattern =>
    otherTypes.map(type => `${type}--${uuid}`).filter(id => !new RegExp(pattern).test(id)),
  );
}

describe('what the schemas describe', () => {
  it.each(samples)('$type $id: each single change is refused for itself', sample => {
    const changes = wrongChanges(sample);
    expect(changes.length).toBeGreaterThan(5);
    expect(changes.flatMap(({ object, code, path }) => deviations(object, code, path))).toEqual([]);
  });

  it('is all in some sample', () => {
    const used = new Map<Schema, Set<string>>();
    for (const { described, value } of [...samples, ...canonical].flatMap(placesOf)) {
      for (const { schema } of described) {
        used.set(schema, new Set([...(used.get(schema) ?? []), ...Object.keys(value as object)]));
      }
    }
    const unused = [...documents]
      .filter(([name]) => name !== 'bundle')
      .flatMap(([name, document]) => [...partsOf(document)].map(part => ({ name, part })))
      .flatMap(({ name, part }) => namesIn(part).map(property => ({ name, property, names: used.get(part) })))
      .filter(({ property, names }) => !names?.has(property))
      .map(({ name, property }) => `${name}: ${property}`);
    expect(unused).toEqual([]);
  });

  /** The schemas in one, itself included, but for conditions and choices, which say nothing new. */
  function* partsOf(schema: Schema): Generator<Schema> {
    const { $defs, properties, patternProperties, items, additionalProperties, allOf: parts } = schema;
    yield schema;
    const named = [$defs, properties, patternProperties].flatMap(group => Object.values(group ?? {}));
    for (const part of [...named, items, additionalProperties, ...(parts ?? [])]) {
      if (typeof part === 'object') yield* partsOf(part);
    }
  }

  /** Not those that are only there to be refused. */
  function namesIn({ properties = {} }: Schema): string[] {
    return Object.keys(properties).filter(name => !(properties[name] as Schema).not || properties[name] === true);
  }

  const values: Record<string, unknown> = {
    modified: '2024-03-02T09:30:00.125Z',
    revoked: false,
    labels: ['harbour'],
    confidence: 1,
    lang: 'en',
    defanged: false,
    extensions: { [definition]: ofDefinition },
  };

  it.each(samples)('$type $id: what its type has not may not be there', sample => {
    const excluded = placesOf(sample)
      .slice(0, 1)
      .flatMap(({ described }) => described)
      .flatMap(({ schema }) => Object.entries(schema.properties ?? {}))
      .flatMap(([name, property]) => (property !== true && property.title === 'property not applicable' ? name : []));
    for (const name of new Set(excluded)) {
      expectOnly({ ...sample, [name]: values[name] }, 'property-not-applicable', `/${name}`);
    }
  });
});

describe('what is said', () => {
  it('has a section everywhere, and a path that can be printed', () => {
    for (const sample of samples) {
      for (const { object } of wrongChanges(sample)) {
        for (const { section, path, message } of judge(object, 'strict').errors) {
          expect(section).toMatch(/^(STIX|TAXII) 2\.1 §\d+(\.\d+)*$|^RFC 8259$|^Taxiway$/);
          expect(path).toMatch(/^(\/[\p{L}\p{N}._-]+)*$/u);
          expect(message).not.toMatch(/undefined|^$/);
        }
      }
    }
  });
});
