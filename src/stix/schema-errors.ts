import type { ProblemCode } from './catalogue.ts';
import { isIdentifier } from './identifier.ts';
import { type ProblemList, pointerTo } from './problems.ts';
import type { ErrorObject } from './schemas.ts';
import { findSection } from './sections.ts';

// What is said of a value that is not as the schema of this title describes it.
const codeByTitle: Record<string, ProblemCode> = {
  'CAPEC identifier': 'external-id-invalid',
  'CPE name': 'cpe-invalid',
  'CVE identifier': 'external-id-invalid',
  'IPv4 address': 'ip-address-invalid',
  'IPv6 address': 'ip-address-invalid',
  'MAC address': 'mac-address-invalid',
  binary: 'binary-invalid',
  choice: 'property-choice',
  conflict: 'property-conflict',
  'dependent property': 'property-dependent',
  'dictionary key': 'dictionary-key-invalid',
  'domain name': 'domain-name-invalid',
  'email address': 'email-address-invalid',
  'extension name': 'extension-name-invalid',
  'external reference': 'external-reference-incomplete',
  'granular marking': 'granular-marking-choice',
  'hash name': 'hash-name-invalid',
  'hash value': 'hash-value-invalid',
  'header values': 'header-value-invalid',
  hexadecimal: 'hexadecimal-invalid',
  identifier: 'identifier-invalid',
  'identifier of this type': 'id-type-mismatch',
  'language tag': 'language-tag-invalid',
  'lower-case MAC address': 'mac-address-upper-case',
  'lower-case hexadecimal': 'hexadecimal-upper-case',
  'millisecond timestamp': 'timestamp-too-coarse',
  'named binary': 'binary-invalid',
  'named hexadecimal': 'hexadecimal-invalid',
  'named reference': 'reference-invalid',
  'named references': 'reference-invalid',
  place: 'location-incomplete',
  'property name': 'property-name-invalid',
  'property not applicable': 'property-not-applicable',
  'registry key': 'registry-hive-abbreviated',
  'relationship type': 'relationship-type-invalid',
  'reserved property': 'property-reserved',
  selector: 'selector-invalid',
  'spec version': 'spec-version-unsupported',
  'sighted object': 'sighting-of-observable',
  'source of a CAPEC identifier': 'external-id-source',
  'source of a CVE identifier': 'external-id-source',
  timestamp: 'timestamp-invalid',
  'timestamp to the second': 'timestamp-too-fine',
  'type of a STIX object': 'bundle-in-envelope',
  'type name': 'type-name-invalid',
  URL: 'url-invalid',
};
const referenceTitle = 'reference to ';
const namedTitle = 'named ';

// Where the description of the schema is what the object must satisfy.
const describedCodes = new Set<ProblemCode>(['property-choice', 'property-conflict', 'property-dependent']);

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
      section: error.parentSchema?.$comment ?? findSection(schemaName, path),
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
  return keyword === 'propertyNames' || keyword === 'if' || /\/(?:anyOf|oneOf)\/\d|\/contains\//.test(schemaPath);
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
  const code = title.startsWith(referenceTitle) ? 'reference-type' : codeByTitle[title];
  if ((code === 'identifier-invalid' || code === 'reference-invalid') && isIdentifier(data)) return 'uuid-invalid';
  // Of a property of one's own only the name says what it should be.
  if (keyword === 'type' && !title.startsWith(namedTitle)) return 'value-type';
  return codeByKeyword[keyword] ?? code ?? 'value-not-allowed';
}

/** What only this error can say: which type, which values, which bound, which reference, which properties. */
function messageOf(code: ProblemCode, { keyword, params, parentSchema }: ErrorObject): string | undefined {
  if (code === 'value-type') return `must be ${nameOfType[params.type]}`;
  if (code === 'value-out-of-range') return `must be ${params.comparison} ${params.limit}`;
  if (code === 'reference-type') return `must be a ${parentSchema?.title}`;
  if (describedCodes.has(code)) return parentSchema?.description;
  if (keyword === 'dependentRequired') return `is required where /${params.property} is present`;
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  if (keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`;
  return undefined;
}
