import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { completeTypes, isComplete, kindOf, type ObjectKind, objectKinds } from './object-types.ts';
import { isTimestamp } from './timestamp.ts';

/** What the JSON Schema of one object type, or of a kind of objects, says of an object. */
export interface ObjectSchema {
  /** Errors as ajv gives them: all of them, or only the first one where the object has very many values. */
  validate(object: Record<string, unknown>, size: number): ErrorObject[];
  /** The section that describes what stands at a JSON Pointer. */
  sectionOf(path: string): string;
}

interface Schema {
  properties: Record<string, unknown>;
}

interface TypeSchema extends Schema {
  $id: string;
}

interface CommonSchema {
  $id: string;
  $defs: Record<ObjectKind, Schema>;
}

// As deep below the package from dist/stix as from src/stix.
const folder = new URL('../../schemas/stix/2.1/', import.meta.url);
const commonSection = 'STIX 2.1 §3.2';
const sectionOfElements = new Map([
  ['external_references', 'STIX 2.1 §2.5.1'],
  ['granular_markings', 'STIX 2.1 §7.2.3'],
  ['kill_chain_phases', 'STIX 2.1 §2.11'],
]);
// Each value can give several errors: a list of hundreds of thousands of bad ones would fill the memory with them.
const thoroughSizeMax = 5_000;

/**
 * Reads and compiles the schemas.
 * @returns finds the schema for an object: that of its type, or else of its kind
 * @throws Error where a schema file is missing or broken
 */
export function compileSchemas(): (object: Record<string, unknown>) => ObjectSchema {
  const common = readSchema<CommonSchema>('common');
  const ofTypes = [...completeTypes].map(([type, section]) => ({
    type,
    section,
    schema: readSchema<TypeSchema>(type),
  }));
  const options = {
    strict: true,
    verbose: true,
    messages: false,
    formats: { 'date-time': isTimestamp },
    schemas: [common, ...ofTypes.map(({ schema }) => schema)],
  };
  const thorough = new Ajv2020({ ...options, allErrors: true });
  const brief = new Ajv2020({ ...options, allErrors: false });

  const schemas = new Map<string, ObjectSchema>();
  for (const { type, section, schema } of ofTypes) {
    schemas.set(type, compile(schema.$id, schema, section));
  }
  for (const [kind, section] of objectKinds) {
    schemas.set(kind, compile(`${common.$id}#/$defs/${kind}`, common.$defs[kind], section));
  }
  return object => {
    const key = isComplete(object) ? object.type : kindOf(object);
    return schemas.get(key) as ObjectSchema;
  };

  function compile(reference: string, { properties }: Schema, section: string): ObjectSchema {
    const validateAll = thorough.compile({ $ref: reference });
    return {
      validate(object, size) {
        // getSchema compiles when it is first asked: most hubs never see an object of such a size.
        const validate = (size > thoroughSizeMax ? brief.getSchema(reference) : undefined) ?? validateAll;
        validate(object);
        return validate.errors ?? [];
      },
      sectionOf(path) {
        const [, property = '', element] = path.split('/');
        const elementSection = element === undefined ? undefined : sectionOfElements.get(property);
        return elementSection ?? (Object.hasOwn(properties, property) ? section : commonSection);
      },
    };
  }
}

function readSchema<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
}
