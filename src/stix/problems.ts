/** One thing that is wrong with an object, and where. */
export interface Problem {
  /** stable: a key of problemCatalogue */
  code: string;
  /** JSON Pointer (RFC 6901) into the object, cut where it is very long; a missing property's is where it would be */
  path: string;
  /** what is wrong there, as the rest of a sentence that begins with the path */
  message: string;
  /** where the rule stands, such as `STIX 2.1 §4.7.1` */
  section: string;
}

interface CatalogueEntry {
  /** left out where it depends on the place */
  section?: string;
  message: string;
}

/** Everything an object can be refused for. A code is stable: integrators may branch on it. */
export const problemCatalogue = {
  'bundle-in-envelope': {
    section: 'TAXII 2.1 §3.7',
    message: 'is a bundle: put the objects that it holds into the envelope, not the bundle itself',
  },
  'dictionary-empty': {
    section: 'STIX 2.1 §2.3',
    message: 'must not be an empty object: leave an optional property out instead',
  },
  'extension-name-invalid': {
    section: 'STIX 2.1 §3.2',
    message: 'must be named by the id of an extension definition, or by a name that ends with -ext',
  },
  'external-reference-incomplete': {
    section: 'STIX 2.1 §2.5.2',
    message: 'must have at least one of description, url and external_id',
  },
  'granular-marking-choice': {
    section: 'STIX 2.1 §7.2.3',
    message: 'must have either lang or marking_ref, and not both',
  },
  'hash-name-invalid': {
    section: 'STIX 2.1 §2.7',
    message: 'must be a hash name of 3 to 250 characters: A-Z, a-z, 0-9, hyphen and underscore',
  },
  'hash-value-invalid': { section: 'STIX 2.1 §2.7', message: 'must be a hash value of the form of its algorithm' },
  'id-type-mismatch': { section: 'STIX 2.1 §2.9', message: 'must begin with the value of /type and --' },
  'identifier-invalid': {
    section: 'STIX 2.1 §2.9',
    message: 'must be an identifier: object-type--UUID, the UUID of version 1 to 8 as RFC 4122 and RFC 9562 write it',
  },
  'language-tag-invalid': { message: 'must be a language tag of the form of RFC 5646, such as en or pt-BR' },
  'list-empty': {
    section: 'STIX 2.1 §2.12',
    message: 'must not be an empty list: leave an optional property out instead',
  },
  'modified-order': { section: 'STIX 2.1 §3.6.1', message: 'must not be earlier than /created' },
  'null-value': { section: 'STIX 2.1 §2', message: 'must not be null: leave it out instead' },
  'number-out-of-range': {
    section: 'STIX 2.1 §2.10',
    message: 'must be a number from -(2^53)+1 to (2^53)-1, since other programs lose the digits of a larger one',
  },
  'object-expected': { section: 'TAXII 2.1 §3.7', message: 'must be a STIX object: a JSON object with type and id' },
  'property-missing': { message: 'is required' },
  'property-name-invalid': {
    section: 'STIX 2.1 §3.1',
    message: 'must be a property name of 3 to 250 characters: a-z, 0-9 and underscore, beginning with a letter',
  },
  'property-not-applicable': { message: 'must not be present on an object of this type' },
  'property-reserved': { section: 'STIX 2.1 §3.8', message: 'must not be used: the standard reserves this name' },
  'proto-property': { section: 'STIX 2.1 §3.1', message: 'must not be named so: other programs would lose it' },
  'reference-type': { message: 'must be a reference to another type' },
  'selector-invalid': {
    section: 'STIX 2.1 §7.2.3',
    message: 'must be property names, dictionary keys and list indexes such as [0], separated by dots',
  },
  'selector-unresolved': { section: 'STIX 2.1 §7.2.3', message: 'must select something that the object holds' },
  'spec-version-unsupported': {
    section: 'STIX 2.1 §3.2',
    message: 'must be "2.1": this hub takes STIX 2.1 only, and an object of STIX 2.0 has no spec_version',
  },
  'string-empty': { message: 'must not be an empty string' },
  'surrogate-unpaired': {
    section: 'STIX 2.1 §2.15',
    message: 'must be Unicode text: it holds half of a surrogate pair, which UTF-8 cannot carry',
  },
  'timestamp-in-future': { section: 'STIX 2.1 §3.2', message: 'must not be in the future' },
  'timestamp-invalid': {
    section: 'STIX 2.1 §2.16.1',
    message: 'must be a timestamp in UTC on a date that exists, such as 2026-01-31T23:59:59.999Z',
  },
  'timestamp-too-coarse': {
    section: 'STIX 2.1 §3.2',
    message: 'must be given to the millisecond or finer, such as 2026-01-31T23:59:59.000Z',
  },
  'type-name-invalid': {
    section: 'STIX 2.1 §3.1',
    message: 'must be a type name of 3 to 250 characters: a-z, 0-9 and single hyphens, beginning with a letter',
  },
  'url-invalid': { section: 'STIX 2.1 §2.5.1', message: 'must be a URL as RFC 3986 writes it, with its scheme' },
  'valid-until-order': { section: 'STIX 2.1 §4.7.1', message: 'must be later than /valid_from' },
  'value-not-allowed': { message: 'must be another value' },
  'value-out-of-range': { message: 'must be another number' },
  'value-type': { message: 'must be of another type' },
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof problemCatalogue;

const problemsMax = 100;
const describedMax = 10;
const pathLengthMax = 250;

/** The problems of one object: one for each path, the first that is found there, and at most 100 of them. */
export class ProblemList {
  readonly found: Problem[] = [];
  readonly #paths = new Set<string>();

  get isFull(): boolean {
    return this.found.length >= problemsMax;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /**
   * @param detail `message` says it better for this place than the catalogue does; `section` is where this place is
   *   described, for a code that has no section of its own
   */
  add(code: ProblemCode, path: string, detail: { message?: string | undefined; section?: string } = {}): void {
    if (this.isFull || this.has(path)) return;
    this.#paths.add(path);
    const { message, section }: CatalogueEntry = problemCatalogue[code];
    this.found.push({
      code,
      path: printable(path),
      message: detail.message ?? message,
      section: section ?? detail.section ?? 'STIX 2.1 §3.2',
    });
  }
}

// Keys come from outside and end in status messages and logs, so a path is kept short and free of control characters.
function printable(path: string): string {
  const short = path.length > pathLengthMax ? `${path.slice(0, pathLengthMax)}…` : path;
  return short.replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
}

/** One segment of a JSON Pointer, `/` included (RFC 6901 §3). */
export function pointerTo(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * Problems as text for people, such as
 * `/valid_until must be later than /valid_from (STIX 2.1 §4.7.1, valid-until-order)`: at most ten, joined by `; `, and how many more there are.
 */
export function describeProblems(problems: Problem[]): string {
  const described = problems
    .slice(0, describedMax)
    .map(({ code, path, message, section }) => `${path || 'the object'} ${message} (${section}, ${code})`);
  if (problems.length > describedMax) described.push(`and ${problems.length - describedMax} more`);
  return described.join('; ');
}
