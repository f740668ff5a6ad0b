import type { RouteOptions } from 'fastify';
import { isSlug } from '../../db/collections.ts';
import { findStatus } from '../../db/statuses.ts';
import { HubError } from '../../errors.ts';
import { statusSize } from '../../http/answer-bytes.ts';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { isUuid } from '../uuid.ts';
import { describeRoute } from './route-schema.ts';

/** GET /{api-root}/status/{status-id}/ (TAXII 2.1 §4.3): for the partner that sent the envelope, and no other. */
export const getStatus = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/status/:statusId/',
  schema: describeRoute({
    operationId: 'getStatus',
    summary: 'Look up what became of an envelope',
    tag: 'Server information',
    params: ['apiRoot', 'statusId'],
    success: { status: 200, resource: 'status', description: 'The status of the envelope' },
    errors: [404],
  }),
  handler: async (request, reply) => {
    const { apiRoot, statusId } = request.params as { apiRoot: string; statusId: string };
    const { partnerId } = request.principal;
    const { statusRetentionHours: retentionHours } = hub.config;
    const read = async () => {
      if (!isUuid(statusId) || !isSlug(apiRoot)) return undefined;
      const text = await findStatus(hub.db, { id: statusId, apiRoot, partnerId, retentionHours });
      return text === undefined ? undefined : Buffer.from(text);
    };
    const resource = await request.server.answerBytes.hold(request, reply, statusSize, read);
    if (resource === undefined) {
      throw new HubError('status-not-found', 'There is no such status for you. It may have been removed with time.');
    }
    return sendTaxii(reply, resource);
  },
});
