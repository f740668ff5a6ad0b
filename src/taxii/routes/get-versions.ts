import type { RouteOptions } from 'fastify';
import { pageManifest } from '../../db/objects.ts';
import { entriesOf } from '../../http/answer-bytes.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import { type MatchField, type Query, toVersionSelector } from '../filter.ts';
import { readObjectId, requireObject } from '../object-scope.ts';
import { readPage } from '../page.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getVersions';
const fields: MatchField[] = ['spec_version'];

/** GET /{api-root}/collections/{id}/objects/{object-id}/versions/ (TAXII 2.1 §5.8). */
export const getVersions = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/:objectId/versions/',
  config: { needs: 'read' },
  schema: describeRoute({
    operationId,
    summary: 'List the versions of an object',
    tag: 'Objects',
    params: ['apiRoot', 'collection', 'objectId'],
    match: fields,
    paged: true,
    success: { status: 200, resource: 'versions', description: 'All versions, oldest addition first' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const { collection, reader } = request;
    const objectId = readObjectId(request.params);
    const fixedFilter = { ids: [objectId], versions: toVersionSelector(['all']) };
    const { found, head, headers } = await readPage(
      { operation: operationId, collection, objectId, fields, fixedFilter },
      request.query as Query,
      hub,
      (filter, bounds) =>
        request.server.answerBytes.hold(request, reply, entriesOf(bounds), () =>
          pageManifest(hub.db, collection.id, reader, filter, bounds),
        ),
    );
    if (!found?.rows.length) await requireObject(hub.db, collection.id, reader, objectId);
    const versions = found?.rows.map(row => row.version_text);
    const write = () => ({ ...head, ...(versions?.length && { versions }) });
    return answerPage(request, reply, { headers, write });
  },
});
