import { readdirSync, readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv/dist/2020.js';
import * as generated from '../generated/stix-schemas.ts';

export type { ErrorObject };

interface Validate {
  (value: unknown): boolean;
  errors?: ErrorObject[] | null;
}

/** Objects of types that the standard does not define are judged as what they look like. */
export type CustomKind = 'versioned-object' | 'observable';

const customKinds: ReadonlySet<string> = new Set<CustomKind>(['versioned-object', 'observable']);
const validators = new Map<string, Validate>(
  Object.entries(generated).map(([name, validate]) => [name.replaceAll('_', '-'), validate as unknown as Validate]),
);

/** Whether the standard defines a type, so that a schema of that name describes it. */
export function isStandardType(type: string): boolean {
  return validators.has(type) && !customKinds.has(type);
}

/**
 * All that a schema finds wrong with an object, as ajv says it: with the schema that failed, and the value there.
 * @param name a type that the standard defines, or a custom kind
 */
export function checkSchema(name: string, object: Record<string, unknown>): ErrorObject[] {
  const validate = validators.get(name) as Validate;
  return validate(object) ? [] : (validate.errors ?? []);
}

/** A JSON Schema, as far as it is read here. */
export interface Schema {
  $ref?: string;
  $comment?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
}

// As deep below the package from dist/stix as from src/stix.
const folder = new URL('../../schemas/stix/2.1/', import.meta.url);
let documents: Map<string, Schema> | undefined;

/** The documents in schemas/stix/2.1 by name: `indicator` is indicator.json. Read when first asked for, then kept. */
export function readSchemas(): Map<string, Schema> {
  documents ??= new Map(
    readdirSync(folder).map(file => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      return [file.replace('.json', ''), JSON.parse(text)];
    }),
  );
  return documents;
}

/** Whether the standard defines a type as an observable. */
export function isObservableType(type: string): boolean {
  return readSchemas().get(type)?.$ref === 'common.json#/$defs/observable';
}

/**
 * A schema that stands alone: what it refers to in common.json is in it (JSON Schema 2020-12 §9.3).
 * @returns undefined where there is none of that name
 */
export function bundleSchema(name: string): Schema | undefined {
  const schema = readSchemas().get(name);
  const common = readSchemas().get('common') as Schema;
  return schema && schema !== common ? { ...schema, $defs: { ...schema.$defs, common } } : schema;
}
