import type { RouteOptions } from 'fastify';
import { pageManifest } from '../../db/objects.ts';
import { entriesOf } from '../../http/answer-bytes.ts';
import { stixMediaType } from '../../http/media-type.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import type { MatchField, Query } from '../filter.ts';
import { readPage } from '../page.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getManifest';
const fields: MatchField[] = ['id', 'type', 'version', 'spec_version'];

/** GET /{api-root}/collections/{id}/manifest/ (TAXII 2.1 §5.3): one entry a version. */
export const getManifest = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/manifest/',
  config: { needs: 'read' },
  schema: describeRoute({
    operationId,
    summary: 'List what a collection holds',
    tag: 'Objects',
    params: ['apiRoot', 'collection'],
    match: fields,
    paged: true,
    success: { status: 200, resource: 'manifest', description: 'Ids, versions and dates, oldest addition first' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const { collection, reader } = request;
    const { found, head, headers } = await readPage(
      { operation: operationId, collection, fields },
      request.query as Query,
      hub,
      (filter, bounds) =>
        request.server.answerBytes.hold(request, reply, entriesOf(bounds), () =>
          hub.replicas.read(collection, bounds, db => pageManifest(db, collection.id, reader, filter, bounds)),
        ),
    );
    const objects = found?.rows.map(row => ({
      id: row.object_id,
      date_added: row.date_added,
      version: row.version_text,
      media_type: stixMediaType,
    }));
    const write = () => ({ ...head, ...(objects?.length && { objects }) });
    return answerPage(request, reply, { headers, write });
  },
});
