import type { ErrorObject } from 'ajv/dist/2020.js';
import { type ProblemCode, type ProblemList, pointerTo } from './problems.ts';

// What is said of a text, or of a choice, that is not as the schema of this title describes it.
const codeByTitle: Record<string, ProblemCode> = {
  'extension name': 'extension-name-invalid',
  'external reference': 'external-reference-incomplete',
  'granular marking': 'granular-marking-choice',
  'hash name': 'hash-name-invalid',
  'hash value': 'hash-value-invalid',
  identifier: 'identifier-invalid',
  'identifier of this type': 'id-type-mismatch',
  'language tag': 'language-tag-invalid',
  'millisecond timestamp': 'timestamp-too-coarse',
  'property name': 'property-name-invalid',
  'property not applicable': 'property-not-applicable',
  'reserved property': 'property-reserved',
  selector: 'selector-invalid',
  'spec version': 'spec-version-unsupported',
  timestamp: 'timestamp-invalid',
  'type name': 'type-name-invalid',
  URL: 'url-invalid',
};
const referenceTitle = 'reference to ';

const codeByKeyword: Record<string, ProblemCode> = {
  enum: 'value-not-allowed',
  maximum: 'value-out-of-range',
  minimum: 'value-out-of-range',
  minItems: 'list-empty',
  minLength: 'string-empty',
  minProperties: 'dictionary-empty',
  type: 'value-type',
};

const nameOfType: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  object: 'an object',
  string: 'a string',
};

/**
 * Says in the words of the standard what ajv found, which must have run with `verbose`, since the schemas' titles tell
 * an identifier from a timestamp.
 * @param sectionOf the section that describes what stands at a path
 */
export function addSchemaErrors(
  errors: ErrorObject[],
  problems: ProblemList,
  sectionOf: (path: string) => string,
): void {
  for (const error of errors) {
    if (problems.isFull) return;
    if (!isConsequence(error)) addSchemaError(error, problems, sectionOf);
  }
}

// A choice reports each of its branches besides itself, and propertyNames repeats what was wrong with the name.
function isConsequence({ keyword, schemaPath }: ErrorObject): boolean {
  return keyword === 'propertyNames' || /\/(?:anyOf|oneOf)\/\d/.test(schemaPath);
}

function addSchemaError(error: ErrorObject, problems: ProblemList, sectionOf: (path: string) => string): void {
  const { keyword, params } = error;
  const key: string | undefined = keyword === 'required' ? params.missingProperty : error.propertyName;
  const path = error.instancePath + (key === undefined ? '' : pointerTo(key));
  const code = codeOf(error);
  problems.add(code, path, { message: messageOf(code, error), section: sectionOf(path) });
}

function codeOf({ keyword, params, parentSchema }: ErrorObject): ProblemCode {
  const title: string = parentSchema?.title ?? '';
  if (keyword === 'required') {
    return params.missingProperty === 'spec_version' ? 'spec-version-unsupported' : 'property-missing';
  }
  // A text that is no string has not the form of its title either; an object must be one before its contents matter.
  if (keyword === 'type' && params.type !== 'string') return 'value-type';
  if (title.startsWith(referenceTitle)) return 'reference-type';
  return codeByTitle[title] ?? codeByKeyword[keyword] ?? 'value-not-allowed';
}

/** What only this error can say: which type, which values, which bound, which reference. */
function messageOf(code: ProblemCode, { keyword, params, parentSchema }: ErrorObject): string | undefined {
  if (code === 'value-type') return `must be ${nameOfType[params.type]}`;
  if (code === 'value-out-of-range') return `must be ${params.comparison} ${params.limit}`;
  if (code === 'reference-type') return `must be a ${parentSchema?.title}`;
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  return undefined;
}
