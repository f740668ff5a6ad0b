import type { RouteOptions } from 'fastify';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { findVisibleRoot } from '../access.ts';
import { toCollectionResource } from '../collection-resource.ts';
import { describeRoute } from './route-schema.ts';

/** GET /{api-root}/collections/ (TAXII 2.1 §5.1): ordered by id, so that the order is the same at every request. */
export const getCollections = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/',
  schema: describeRoute({
    operationId: 'getCollections',
    summary: 'List the collections',
    description: 'Only collections in which you have a right are listed.',
    tag: 'Collections',
    params: ['apiRoot'],
    success: { status: 200, resource: 'collections', description: 'The collections that are there for you' },
    errors: [404],
  }),
  handler: async (request, reply) => {
    const { apiRoot } = request.params as { apiRoot: string };
    const { visible } = await findVisibleRoot(hub.db, request.principal, apiRoot);
    const collections = visible.map(({ collection, rights }) => toCollectionResource(collection, rights));
    return sendTaxii(reply, collections.length > 0 ? { collections } : {});
  },
});
