import type { RouteOptions } from 'fastify';
import { sendTaxii } from '../../http/media-type.ts';
import { toCollectionResource } from '../collection-resource.ts';
import { describeRoute } from './route-schema.ts';

/** GET /{api-root}/collections/{id}/ (TAXII 2.1 §5.2). */
export const getCollection = (): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/',
  config: { needs: 'any' },
  schema: describeRoute({
    operationId: 'getCollection',
    summary: 'Describe a collection',
    tag: 'Collections',
    params: ['apiRoot', 'collection'],
    success: { status: 200, resource: 'collection', description: 'The collection, with your rights in it' },
    errors: [404],
  }),
  handler: async (request, reply) => sendTaxii(reply, toCollectionResource(request.collection, request.rights)),
});
