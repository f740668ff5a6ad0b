import type { RouteOptions } from 'fastify';
import { pageProvenance } from '../../db/provenance.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import type { Query } from '../filter.ts';
import { objectNotFound, readObjectId } from '../object-scope.ts';
import { readPage } from '../page.ts';
import { toProvenanceEntry } from '../provenance.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getProvenance';

/**
 * GET /{api-root}/collections/{id}/objects/{object-id}/provenance/: where each version came from, for the partner whose
 * object it is. For all others there is no such object.
 */
export const getProvenance = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/:objectId/provenance/',
  config: { needs: 'any' },
  schema: describeRoute({
    operationId,
    summary: 'Tell where an object of yours came from',
    description: 'Who added each version, deleted ones too, with which token and in which request. Not part of TAXII.',
    tag: 'Objects',
    params: ['apiRoot', 'collection', 'objectId'],
    paged: true,
    success: { status: 200, resource: 'provenance', description: 'All versions, oldest addition first' },
    errors: [400, 404],
  }),
  handler: async (request, reply) => {
    const { collection, principal } = request;
    const objectId = readObjectId(request.params);
    const { found, head, headers } = await readPage(
      { operation: operationId, collection, objectId, fields: [] },
      request.query as Query,
      hub,
      (_, bounds) => pageProvenance(hub.db, collection.id, { objectId, ownerId: principal.partnerId }, bounds),
    );
    if (!found?.rows.length) throw objectNotFound();
    const versions = found.rows.map(toProvenanceEntry);
    return answerPage(request, reply, { headers, write: () => ({ ...head, id: objectId, versions }) });
  },
});
