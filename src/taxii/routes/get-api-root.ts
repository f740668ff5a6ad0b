import type { RouteOptions } from 'fastify';
import { sendTaxii, taxiiMediaType } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { findVisibleRoot } from '../access.ts';
import { describeRoute } from './route-schema.ts';

/** GET /{api-root}/ (TAXII 2.1 §4.2). */
export const getApiRoot = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/',
  schema: describeRoute({
    operationId: 'getApiRoot',
    summary: 'Describe an API root',
    tag: 'Server information',
    params: ['apiRoot'],
    success: { status: 200, resource: 'api-root', description: 'The API root' },
    errors: [404],
  }),
  handler: async (request, reply) => {
    const { apiRoot } = request.params as { apiRoot: string };
    const { root } = await findVisibleRoot(hub.db, request.principal, apiRoot);
    return sendTaxii(reply, {
      title: root.title,
      ...(root.description !== null && { description: root.description }),
      versions: [taxiiMediaType],
      max_content_length: hub.config.bodyBytesMax,
    });
  },
});
