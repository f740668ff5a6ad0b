import type { RouteOptions } from 'fastify';
import { listApiRoots } from '../../db/collections.ts';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { listVisibleCollections } from '../access.ts';
import { describeRoute } from './route-schema.ts';

/** GET /taxii2/ (TAXII 2.1 §4.1): the API roots in which the caller has a collection, the default one first. */
export const getDiscovery = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/taxii2/',
  schema: describeRoute({
    operationId: 'getDiscovery',
    summary: 'Find the API roots',
    description: 'Where a TAXII client starts. Only API roots in which you have a collection are listed.',
    tag: 'Server information',
    success: { status: 200, resource: 'discovery', description: 'The API roots that are there for you' },
    errors: [],
  }),
  handler: async (request, reply) => {
    const [roots, visible] = await Promise.all([
      listApiRoots(hub.db),
      listVisibleCollections(hub.db, request.principal),
    ]);
    const urls = roots
      .filter(root => visible.some(({ collection }) => collection.api_root === root.slug))
      // Without PUBLIC_URL they are relative, which is true behind any proxy (§4.1.1 allows it).
      .map(root => `${hub.config.publicUrl}/${root.slug}/`);
    return sendTaxii(reply, {
      title: 'Taxiway',
      description: 'A TAXII 2.1 hub for sharing cyber threat intelligence',
      // Empty lists are forbidden (§2), and the default must be one of the list, to the letter.
      ...(urls.length > 0 && { default: urls[0], api_roots: urls }),
    });
  },
});
