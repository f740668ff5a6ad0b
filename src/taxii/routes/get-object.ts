import type { RouteOptions } from 'fastify';
import { objectsOf } from '../../http/answer-bytes.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import { toEnvelope } from '../envelope.ts';
import type { MatchField, Query } from '../filter.ts';
import { readObjectId, requireObject } from '../object-scope.ts';
import { readPage } from '../page.ts';
import { recordPage } from '../receipts.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getObject';
const fields: MatchField[] = ['version', 'spec_version'];

/** GET /{api-root}/collections/{id}/objects/{object-id}/ (TAXII 2.1 §5.6): its versions, the last one by default. */
export const getObject = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/:objectId/',
  config: { needs: 'read' },
  schema: describeRoute({
    operationId,
    summary: 'Get an object',
    tag: 'Objects',
    params: ['apiRoot', 'collection', 'objectId'],
    match: fields,
    paged: true,
    success: { status: 200, resource: 'envelope', description: 'The versions of the object that match' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const { collection, reader } = request;
    const objectId = readObjectId(request.params);
    const { found, head, headers } = await readPage(
      { operation: operationId, collection, objectId, fields, fixedFilter: { ids: [objectId] } },
      request.query as Query,
      hub,
      (filter, bounds) =>
        request.server.answerBytes.hold(request, reply, objectsOf(bounds), bytesMax =>
          hub.readObjects(request, filter, { ...bounds, bytesMax }),
        ),
    );
    if (!found?.count) await requireObject(hub.db, collection.id, reader, objectId);
    const dates = found?.dates ?? [];
    return answerPage(request, reply, {
      headers,
      // An object's text never changes, and no other one gets its date.
      identity: [collection.id, head, dates],
      record: () => recordPage(hub, request, dates),
      write: () => toEnvelope(head, found),
    });
  },
});
