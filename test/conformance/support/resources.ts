/** The resources of TAXII 2.1 §3 to §5, and what is wrong with a value that should be one. */
export type ResourceName =
  | 'discovery'
  | 'api-root'
  | 'collections'
  | 'collection'
  | 'manifest'
  | 'envelope'
  | 'versions'
  | 'status'
  | 'error';

/** Gives undefined where the value is right, else what is wrong with it. */
type Check = (value: unknown) => string | undefined;

interface Shape {
  required?: Record<string, Check>;
  optional?: Record<string, Check>;
  /** what the properties must be to each other; only asked where each alone is right */
  relations?: (resource: Properties) => (string | false)[];
}

// biome-ignore lint/suspicious/noExplicitAny: relations look at properties that were checked before
type Properties = Record<string, any>;

const taxiiMediaType = 'application/taxii+json;version=2.1';

/** Whether a text is a timestamp of TAXII 2.1 §2, to the letter: six fraction digits, Z, a date that exists. */
export function isTaxiiTimestamp(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)) return false;
  const instant = new Date(`${text.slice(0, 23)}Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 19) === text.slice(0, 19);
}

/** Everything that is wrong with a resource: required properties, types, names, empty lists, nulls (§2, §3.8). */
export function findProblems(name: ResourceName, value: unknown): string[] {
  return findShapeProblems(name, shapes[name], value);
}

function findShapeProblems(name: string, shape: Shape, value: unknown): string[] {
  if (!isObject(value)) return [`${name} must be a JSON object`];
  const known = { ...shape.required, ...shape.optional };
  const missing = Object.keys(shape.required ?? {}).filter(property => !(property in value));
  const problems = missing.map(property => `${name}.${property} is required`);
  for (const [property, content] of Object.entries(value)) {
    const problem = property in known ? known[property]?.(content) : checkCustomName(property, content);
    if (problem) problems.push(`${name}.${property} ${problem}`);
  }
  if (problems.length > 0) return problems;
  return (shape.relations?.(value) ?? []).filter(problem => problem !== false).map(problem => `${name}: ${problem}`);
}

// §7.1.1: a server may add properties of its own, under names of this form.
function checkCustomName(property: string, content: unknown): string | undefined {
  if (!/^[a-z0-9_]{3,250}$/.test(property)) return 'is neither a property of the standard nor a custom name';
  return content === null ? 'must not be null' : undefined;
}

const string: Check = value => (typeof value === 'string' ? undefined : 'must be a string');
const boolean: Check = value => (typeof value === 'boolean' ? undefined : 'must be true or false');
const dictionary: Check = value => (isObject(value) ? undefined : 'must be a JSON object');
const timestamp: Check = value => (isTaxiiTimestamp(value) ? undefined : 'must be YYYY-MM-DDTHH:MM:SS.ssssssZ');
const count: Check = value =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'must be a whole number from 0 to 2^53-1';
const positive: Check = value => count(value) ?? (value === 0 ? 'must be greater than 0' : undefined);
const identifier: Check = value =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(String(value))
    ? undefined
    : 'must be a UUID of version 4';
const stixId: Check = value =>
  typeof value === 'string' && /^[a-z0-9-]+--[0-9a-f-]{36}$/i.test(value) ? undefined : 'must be a STIX identifier';

function oneOf(...values: string[]): Check {
  return value => (values.includes(String(value)) ? undefined : `must be one of ${values.join(', ')}`);
}

function matching(form: RegExp): Check {
  return value => (typeof value === 'string' && form.test(value) ? undefined : `must match ${form}`);
}

// §2: every list has at least one element.
function listOf(check: Check): Check {
  return value => {
    if (!Array.isArray(value)) return 'must be a list';
    if (value.length === 0) return 'must not be an empty list';
    const wrong = value.map(check).findIndex(problem => problem !== undefined);
    return wrong < 0 ? undefined : `[${wrong}] ${check(value[wrong])}`;
  };
}

function objectOf(name: string, shape: Shape): Check {
  return value => findShapeProblems(name, shape, value)[0];
}

// §4.1.1: HTTPS absolute, or relative with a single slash at its beginning, and without a query.
const apiRootUrl: Check = value =>
  matching(/^(https:\/\/[^/?#]+)?\/([^/?#][^?#]*)?$/)(value) ??
  (String(value).includes('../') ? 'must not contain ../' : undefined);

const stixObject: Check = value => {
  if (!isObject(value)) return 'must be a STIX object';
  const { type, id } = value;
  if (typeof type !== 'string' || type === 'bundle') return 'must have the type of a STIX object, not of a bundle';
  return stixId(id) && `has a wrong id: it ${stixId(id)}`;
};

const collection: Shape = {
  required: { id: identifier, title: string, can_read: boolean, can_write: boolean },
  optional: {
    description: string,
    alias: string,
    media_types: listOf(matching(/^application\/[a-z+-]+(;version=\d+\.\d+)?$/)),
  },
};

const statusDetails = listOf(
  objectOf('status-details', { required: { id: string, version: string }, optional: { message: string } }),
);

const manifestRecord = objectOf('manifest-record', {
  required: { id: stixId, date_added: timestamp, version: string },
  optional: { media_type: string },
});

const shapes: Record<ResourceName, Shape> = {
  discovery: {
    required: { title: string },
    optional: { description: string, contact: string, default: apiRootUrl, api_roots: listOf(apiRootUrl) },
    relations: ({ default: preferred, api_roots = [] }) => [
      preferred !== undefined && !api_roots.includes(preferred) && 'default must be an element of api_roots',
      new Set(api_roots).size !== api_roots.length && 'each API root must have a URL of its own',
    ],
  },
  'api-root': {
    required: {
      title: string,
      versions: listOf(matching(/^application\/[a-z.]*taxii\+json; ?version=\d+\.\d+$/)),
      max_content_length: positive,
    },
    optional: { description: string },
    relations: ({ versions }) => [!versions.includes(taxiiMediaType) && `versions must include ${taxiiMediaType}`],
  },
  collections: {
    optional: { collections: listOf(objectOf('collection', collection)) },
    relations: ({ collections = [] }) => [
      hasDuplicates(collections, 'id') && 'two collections have the same id',
      hasDuplicates(collections, 'alias') && 'two collections have the same alias',
    ],
  },
  collection,
  envelope: {
    optional: { more: boolean, next: string, objects: listOf(stixObject) },
    relations: ({ more, next }) => [next !== undefined && !more && 'next must be there only when more is true'],
  },
  manifest: {
    optional: { more: boolean, objects: listOf(manifestRecord) },
    relations: ({ more, next, objects = [] }) => [
      next !== undefined && !more && 'next must be there only when more is true',
      !isAscending(objects.map((record: Properties) => record.date_added)) && 'must be sorted by date_added',
    ],
  },
  versions: {
    optional: { more: boolean, versions: listOf(string) },
    relations: ({ versions = [] }) => [new Set(versions).size !== versions.length && 'a version is listed twice'],
  },
  status: {
    required: {
      id: identifier,
      status: oneOf('complete', 'pending'),
      total_count: count,
      success_count: count,
      failure_count: count,
      pending_count: count,
    },
    optional: {
      request_timestamp: timestamp,
      successes: statusDetails,
      failures: statusDetails,
      pendings: statusDetails,
    },
    relations: one => [
      one.success_count + one.failure_count + one.pending_count !== one.total_count && 'the counts do not add up',
      one.status === 'complete' && one.pending_count > 0 && 'complete, with objects pending',
      one.successes !== undefined && one.successes.length !== one.success_count && 'successes and its count differ',
      one.failures !== undefined && one.failures.length !== one.failure_count && 'failures and its count differ',
      one.pendings !== undefined && one.pendings.length !== one.pending_count && 'pendings and its count differ',
    ],
  },
  error: {
    required: { title: string },
    optional: {
      description: string,
      error_id: string,
      error_code: string,
      http_status: matching(/^[45]\d\d$/),
      external_details: string,
      details: dictionary,
    },
  },
};

function isObject(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasDuplicates(list: Properties[], property: string): boolean {
  const values = list.map(one => one[property]).filter(value => value !== undefined);
  return new Set(values).size !== values.length;
}

function isAscending(texts: string[]): boolean {
  return texts.every((text, index) => index === 0 || (texts[index - 1] as string) <= text);
}
