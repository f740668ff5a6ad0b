import { STATUS_CODES } from 'node:http';
import type { FastifySchema } from 'fastify';
import { eventStreamMediaType, stixMediaType, taxiiMediaType } from '../../http/media-type.ts';
import type { MatchField } from '../filter.ts';

/** What a route tells integrators; openapi/taxiway.json is made of it. It checks nothing: the code does, and says why. */
export interface RouteDocument {
  operationId: string;
  summary: string;
  description?: string;
  tag: 'Server information' | 'Collections' | 'Objects';
  params?: ParameterName[];
  /** the fields of match, for endpoints that filter; with `paged`, added_after, limit and next too */
  match?: MatchField[];
  paged?: boolean;
  /** can wait for new objects, as the Prefer header says */
  waits?: boolean;
  /** answers with Server-Sent Events, from where a page would begin */
  streams?: boolean;
  body?: boolean;
  success: { status: 200 | 202; resource?: string; description: string };
  errors: number[];
}

const parameters = {
  apiRoot: { type: 'string', default: 'hub', description: 'Slug of the API root' },
  collection: { type: 'string', description: 'Id or alias of the collection' },
  objectId: { type: 'string', description: 'STIX id of the object' },
  statusId: { type: 'string', format: 'uuid', description: 'Id of the status resource that a POST gave' },
} as const;

type ParameterName = keyof typeof parameters;

const pageParameters = {
  added_after: {
    type: 'string',
    format: 'date-time',
    description: 'Only what was added after this instant: `X-TAXII-Date-Added-Last` of the previous answer',
  },
  limit: { type: 'integer', minimum: 1, description: 'At most so many; the hub may give fewer' },
  next: { type: 'string', description: 'The `next` of the previous page, unchanged' },
};

const matchParameters: Record<MatchField, { type: 'string'; description: string }> = {
  id: { type: 'string', description: 'STIX ids, separated by commas' },
  type: { type: 'string', description: 'Object types, separated by commas' },
  version: { type: 'string', description: '`last` (the default), `first`, `all`, or timestamps, separated by commas' },
  spec_version: { type: 'string', description: 'STIX versions, separated by commas; the hub holds 2.1' },
};

const conditionHeaders = {
  'If-None-Match': { type: 'string', description: '`ETag` of an earlier answer: 304 where the page is still the same' },
};

const pageHeaders = {
  ETag: { type: 'string', description: 'Changes whenever the page does' },
  'X-TAXII-Date-Added-First': { type: 'string', format: 'date-time', description: 'date_added of the first object' },
  'X-TAXII-Date-Added-Last': { type: 'string', format: 'date-time', description: 'date_added of the last object' },
};

const waitHeaders = {
  Prefer: {
    type: 'string',
    example: 'wait=30',
    description:
      'Where there is nothing, waits so many seconds for what is added meanwhile (RFC 7240). Without ' +
      '`Preference-Applied` in the answer, the hub did not wait.',
  },
};

const streamHeaders = {
  'Last-Event-ID': { type: 'string', description: 'Id of the last event: goes on after it, as `next` does' },
};

/** The Fastify schema of a TAXII route, from which @fastify/swagger makes its OpenAPI operation. */
export function describeRoute(document: RouteDocument): FastifySchema {
  const { success } = document;
  return {
    operationId: document.operationId,
    summary: document.summary,
    ...(document.description && { description: document.description }),
    tags: [document.tag],
    ...(document.params && {
      params: properties(Object.fromEntries(document.params.map(name => [name, parameters[name]]))),
    }),
    ...((document.match || document.paged) && {
      querystring: properties({
        ...((document.paged || document.streams) && pageParameters),
        ...Object.fromEntries((document.match ?? []).map(field => [`match[${field}]`, matchParameters[field]])),
      }),
    }),
    ...(document.paged && {
      headers: properties({ ...conditionHeaders, ...(document.waits && waitHeaders) }),
    }),
    ...(document.streams && { headers: properties(streamHeaders) }),
    ...(document.body && {
      consumes: [taxiiMediaType, stixMediaType],
      body: { content: { [taxiiMediaType]: reference('envelope'), [stixMediaType]: reference('envelope') } },
    }),
    response: {
      [success.status]: {
        description: success.description,
        ...(document.paged && { headers: pageHeaders }),
        ...(document.streams && { content: { [eventStreamMediaType]: { schema: { type: 'string' } } } }),
        ...(success.resource && { content: { [taxiiMediaType]: reference(success.resource) } }),
      },
      ...(document.paged && {
        304: {
          type: 'null',
          description: 'The client has this page: its `ETag` is in `If-None-Match`',
          headers: pageHeaders,
        },
      }),
      ...Object.fromEntries(
        [...new Set([...document.errors, 401, 403, 406, 429, 503])]
          .sort()
          .map(status => [
            status,
            { description: STATUS_CODES[status], content: { [taxiiMediaType]: reference('error') } },
          ]),
      ),
    },
  } as FastifySchema;
}

// What TAXII has no resource for.
const ownResources = ['deliveries', 'me', 'provenance'];

/** Where the JSON Schema of a resource is, in this repository. */
export function resourceSchemaPath(resource: string): string {
  return `schemas/${ownResources.includes(resource) ? 'taxiway' : 'taxii/2.1'}/${resource}.json`;
}

/** `$id` of a resource's JSON Schema. */
export function resourceSchemaId(resource: string): string {
  return `https://taxiway.example/${resourceSchemaPath(resource)}`;
}

function reference(resource: string) {
  return { schema: { $ref: `${resourceSchemaId(resource)}#` } };
}

function properties(named: Record<string, unknown>) {
  return { type: 'object', properties: named };
}
