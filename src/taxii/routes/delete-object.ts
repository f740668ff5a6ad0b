import type { RouteOptions } from 'fastify';
import { toActor } from '../../auth/principal.ts';
import { appendAudit } from '../../db/audit.ts';
import { lockCollection, setPastChanged } from '../../db/collections.ts';
import { addStorage } from '../../db/storage.ts';
import { deleteVersions } from '../../db/versions.ts';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { type MatchField, parseMatch, type Query, toVersionSelector } from '../filter.ts';
import { objectNotFound, readObjectId } from '../object-scope.ts';
import { describeRoute } from './route-schema.ts';

const fields: MatchField[] = ['version', 'spec_version'];

/**
 * DELETE /{api-root}/collections/{id}/objects/{object-id}/ (TAXII 2.1 §5.7): all versions, or those that match. For a
 * partner that does not own the object there is nothing to delete.
 */
export const deleteObject = (hub: Hub): RouteOptions => ({
  method: 'DELETE',
  url: '/:apiRoot/collections/:collection/objects/:objectId/',
  config: { needs: 'delete' },
  // It has none to speak of.
  bodyLimit: 1024,
  schema: describeRoute({
    operationId: 'deleteObject',
    summary: 'Delete an object',
    description: 'Takes the rights to read and to write, and the object must be one that you added first.',
    tag: 'Objects',
    params: ['apiRoot', 'collection', 'objectId'],
    match: fields,
    success: { status: 200, description: 'It is gone' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const { collection, principal } = request;
    const objectId = readObjectId(request.params);
    const match = parseMatch(request.query as Query, fields);
    const changed = await hub.db.transaction().execute(async tx => {
      await lockCollection(tx, collection.id);
      const { versions, bytes } = await deleteVersions(tx, collection.id, objectId, {
        addedBy: principal.partnerId,
        versions: toVersionSelector(match.version ?? ['all']),
        ...(match.spec_version && { specVersions: match.spec_version }),
      });
      if (versions === 0) throw objectNotFound();
      const row = await setPastChanged(tx, collection.id);
      await addStorage(tx, collection.id, new Map([[principal.partnerId, -bytes]]));
      const entry = { action: 'objects-deleted', subject: principal.partner, details: { id: objectId, versions } };
      await appendAudit(tx, toActor(request), { chain: collection.id, ...entry });
      return row;
    });
    hub.watch.committed(changed);
    return sendTaxii(reply, {});
  },
});
