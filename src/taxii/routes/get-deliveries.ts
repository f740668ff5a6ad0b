import type { RouteOptions } from 'fastify';
import { pageDeliveries } from '../../db/receipts.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import { toDeliveriesEntry } from '../deliveries.ts';
import type { Query } from '../filter.ts';
import { objectNotFound, readObjectId } from '../object-scope.ts';
import { readPage } from '../page.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getDeliveries';
// Each takes a search of its own among the receipts.
const versionsMax = 100;

/**
 * GET /{api-root}/collections/{id}/objects/{object-id}/deliveries/: who has been handed each version and who has not, for
 * the partner whose object it is. For all others there is no such object.
 */
export const getDeliveries = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/:objectId/deliveries/',
  config: { needs: 'any' },
  schema: describeRoute({
    operationId,
    summary: 'Tell who has been handed an object of yours',
    description:
      'For each version, deleted ones too: the other partners that have been handed it and those that may see it and ' +
      'have not yet, by sector; by name where the operator lets you. Not part of TAXII.',
    tag: 'Objects',
    params: ['apiRoot', 'collection', 'objectId'],
    paged: true,
    success: { status: 200, resource: 'deliveries', description: 'All versions, oldest addition first' },
    errors: [400, 404],
  }),
  handler: async (request, reply) => {
    const { collection, principal } = request;
    const objectId = readObjectId(request.params);
    const { found, head, headers } = await readPage(
      { operation: operationId, collection, objectId, fields: [] },
      request.query as Query,
      hub,
      (_, { after, objectsMax }) =>
        pageDeliveries(
          hub.db,
          collection.id,
          { objectId, ownerId: principal.partnerId },
          { after, objectsMax: Math.min(objectsMax, versionsMax) },
        ),
    );
    if (!found?.rows.length) throw objectNotFound();
    const shown = collection.grant.sees_partners ? 'partners' : 'sectors';
    const versions = found.rows.map(row => toDeliveriesEntry(row, shown));
    return answerPage(request, reply, { headers, write: () => ({ ...head, id: objectId, versions }) });
  },
});
