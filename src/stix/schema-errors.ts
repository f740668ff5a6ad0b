import type { ProblemCode } from './catalogue.ts';
import { isIdentifier } from './identifier.ts';
import { type ProblemList, pointerTo } from './problems.ts';
import type { ErrorObject } from './schemas.ts';
import { findSection } from './sections.ts';
import { codeOfTitle } from './titles.ts';

const namedTitle = 'named ';

// Where the description of the schema is what the object must satisfy.
const describedCodes = new Set<ProblemCode>(['property-choice', 'property-conflict', 'property-dependent']);

// Where it is the place itself that has to choose, rather than what stands there that is wrong.
const aboutPlace = new Set<ProblemCode>(['location-incomplete', 'property-choice']);

const codeByKeyword: Record<string, ProblemCode> = {
  enum: 'value-not-allowed',
  maximum: 'value-out-of-range',
  minimum: 'value-out-of-range',
  minItems: 'list-empty',
  minProperties: 'dictionary-empty',
};

const codeByMissing: Record<string, ProblemCode> = {
  extension_type: 'extension-type-missing',
  modified: 'modified-missing',
  spec_version: 'spec-version-unsupported',
};

const nameOfType: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  object: 'an object',
  string: 'a string',
};

/**
 * Says in the words of the standard what ajv found, which must have run with `verbose`, since the schemas' titles tell
 * an identifier from a timestamp.
 * @param schemaName the schema that the errors come from
 * @param place where the object stands in the judged one, as a JSON Pointer
 */
export function addSchemaErrors(errors: ErrorObject[], problems: ProblemList, schemaName: string, place = ''): void {
  const add = (error: ErrorObject) => {
    const code = codeOf(error);
    if (!problems.accepts(code)) return;
    const path = pathOf(error);
    problems.add(code, place + path, () => ({
      message: messageOf(code, error),
      section: error.parentSchema?.$comment ?? findSection(schemaName, path, { ofPlace: aboutPlace.has(code) }),
    }));
  };
  // A value of another type has not the form it should have either: the type is what to say of it.
  const isOfType = ({ keyword }: ErrorObject) => keyword === 'type';
  for (const error of errors) if (isOfType(error) && !isConsequence(error)) add(error);
  for (const error of errors) if (!isOfType(error) && !isConsequence(error)) add(error);
}

// A choice reports each of its branches besides itself, a condition what it led to, and propertyNames repeats what was
// wrong with the name.
function isConsequence({ keyword, schemaPath }: ErrorObject): boolean {
  return keyword === 'propertyNames' || keyword === 'if' || /\/(?:anyOf|oneOf)\/\d/.test(schemaPath);
}

function pathOf({ keyword, instancePath, params, propertyName }: ErrorObject): string {
  const isMissing = keyword === 'required' || keyword === 'dependentRequired';
  const key: string | undefined = isMissing ? params.missingProperty : propertyName;
  return key === undefined ? instancePath : instancePath + pointerTo(key);
}

function codeOf({ keyword, params, parentSchema, data }: ErrorObject): ProblemCode {
  if (keyword === 'required') return codeByMissing[params.missingProperty] ?? 'property-missing';
  if (keyword === 'dependentRequired') return 'property-missing';
  const title: string = parentSchema?.title ?? '';
  const code = codeOfTitle(title);
  const isIdentifierCode = code === 'identifier-invalid' || code === 'reference-invalid';
  if (isIdentifierCode && keyword === 'pattern' && isIdentifier(data)) return 'uuid-invalid';
  // Of a property of one's own only the name says what it should be.
  if (keyword === 'type' && !title.startsWith(namedTitle)) return 'value-type';
  return codeByKeyword[keyword] ?? code ?? 'value-not-allowed';
}

/** What only this error can say: which type, which values, which bound, which reference, which properties. */
function messageOf(code: ProblemCode, { keyword, params, parentSchema }: ErrorObject): string | undefined {
  if (keyword === 'type') return `must be ${nameOfType[params.type]}`;
  if (code === 'value-out-of-range') return `must be ${params.comparison} ${params.limit}`;
  if (code === 'reference-type') return `must be a ${parentSchema?.title}`;
  if (describedCodes.has(code)) return parentSchema?.description;
  if (keyword === 'dependentRequired') return `is required where /${params.property} is present`;
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  if (keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`;
  return undefined;
}
