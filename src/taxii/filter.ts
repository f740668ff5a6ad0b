import type { VersionSelector } from '../db/conditions.ts';
import type { ObjectFilter } from '../db/objects.ts';
import { HubError } from '../errors.ts';
import { isIdentifier } from '../stix/identifier.ts';
import { isTimestamp, toInstant } from '../stix/timestamp.ts';
import { parseTimestamp, type TaxiiTimestamp } from './timestamp.ts';

/** The fields of `match[…]` (TAXII 2.1 §3.4.1). */
export type MatchField = 'id' | 'type' | 'version' | 'spec_version';

/** The match filters of a request, each as the list of its values. What was not given is absent. */
export type Match = Partial<Record<MatchField, string[]>>;

/** A query string as Fastify parses it: a parameter that came twice is an array. */
export type Query = Record<string, string | string[] | undefined>;

/** What a client asks of an endpoint that pages (TAXII 2.1 §3.4). */
export interface PageQuery {
  addedAfter: TaxiiTimestamp | undefined;
  limit: number | undefined;
  next: string | undefined;
  match: Match;
}

const matchValuesMax = 500;
const valueForms: Record<MatchField, { isValid: (value: string) => boolean; form: string }> = {
  id: { isValid: isIdentifier, form: 'STIX identifiers such as indicator--<UUID>' },
  type: { isValid: value => /^[a-z0-9-]{1,250}$/.test(value), form: 'object types such as indicator' },
  version: {
    isValid: value => ['first', 'last', 'all'].includes(value) || isTimestamp(value),
    form: 'first, last, all, or timestamps such as 2026-01-01T00:00:00.000Z',
  },
  spec_version: { isValid: value => /^\d{1,3}\.\d{1,3}$/.test(value), form: 'versions of STIX such as 2.1' },
};

/**
 * Reads the query of an endpoint that pages. Parameters that TAXII does not define are ignored, as are fields of match
 * that the endpoint does not take (§3.4 allows both).
 * @throws HubError filter-invalid, naming the parameter and the form it must have
 */
export function parsePageQuery(query: Query, fields: MatchField[]): PageQuery {
  const limit = readOnce(query, 'limit');
  const addedAfter = readOnce(query, 'added_after');
  return {
    addedAfter: addedAfter === undefined ? undefined : parseAddedAfter(addedAfter),
    limit: limit === undefined ? undefined : parseLimit(limit),
    next: readOnce(query, 'next'),
    match: parseMatch(query, fields),
  };
}

/** Reads the `match[…]` parameters of these fields. @throws HubError filter-invalid */
export function parseMatch(query: Query, fields: MatchField[]): Match {
  const match: Match = {};
  for (const field of fields) {
    const text = readOnce(query, `match[${field}]`);
    if (text !== undefined) match[field] = parseValues(field, text);
  }
  return match;
}

/**
 * Writes the defaults out: no `match[version]` means the last version of each object (§3.4.1). Every stored object is
 * STIX 2.1, so that the newest spec version of each is what no `match[spec_version]` gives anyway.
 */
export function toObjectFilter(match: Match): ObjectFilter {
  return {
    versions: toVersionSelector(match.version ?? ['last']),
    ...(match.id && { ids: match.id }),
    ...(match.type && { types: match.type }),
    ...(match.spec_version && { specVersions: match.spec_version }),
  };
}

/** `match[version]` as a choice of versions; specific ones compare as instants (§3.4.1). */
export function toVersionSelector(values: string[]): VersionSelector {
  return {
    all: values.includes('all'),
    first: values.includes('first'),
    last: values.includes('last'),
    instants: values.filter(isTimestamp).map(toInstant),
  };
}

function parseValues(field: MatchField, text: string): string[] {
  const values = text.split(',');
  const { isValid, form } = valueForms[field];
  if (values.length > matchValuesMax) refuse(`match[${field}]`, `takes at most ${matchValuesMax} values`);
  if (!values.every(isValid)) refuse(`match[${field}]`, `takes ${form}, separated by commas without spaces`);
  const distinct = field === 'version' ? values.map(value => (isTimestamp(value) ? toInstant(value) : value)) : values;
  if (field === 'version' && new Set(distinct).size < distinct.length)
    refuse('match[version]', 'names a version twice');
  if (field === 'version' && values.includes('all') && values.length > 1) {
    refuse('match[version]', 'takes "all" only by itself');
  }
  // Sorted, so that a cursor knows the same filter again in whatever order it is written.
  return [...new Set(values)].sort();
}

function parseAddedAfter(text: string): TaxiiTimestamp {
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) refuse('added_after', 'takes one timestamp such as 2026-01-01T00:00:00.000000Z');
  return timestamp;
}

// A limit larger than the hub's own is no error (§3.4), however large.
function parseLimit(text: string): number {
  if (!/^\d{1,100}$/.test(text) || Number(text) < 1) refuse('limit', 'takes one whole number greater than zero');
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function readOnce(query: Query, name: string): string | undefined {
  const value = query[name];
  if (Array.isArray(value)) refuse(name, 'may be given only once');
  return value;
}

function refuse(parameter: string, rule: string): never {
  throw new HubError('filter-invalid', `The query parameter ${parameter} ${rule} (TAXII 2.1 §3.4).`, {
    details: { parameter },
  });
}
