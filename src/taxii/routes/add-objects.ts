import { isUtf8 } from 'node:buffer';
import type { RouteOptions } from 'fastify';
import { toActor } from '../../auth/principal.ts';
import type { Config } from '../../config.ts';
import { HubError } from '../../errors.ts';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { findAnonymity } from '../anonymity.ts';
import { judge } from '../judging.ts';
import { type ObjectSlice, ObjectSlicer } from '../object-slices.ts';
import { quotaOf } from '../quota.ts';
import { fromMicros } from '../timestamp.ts';
import { Turn } from '../turns.ts';
import { describeRoute } from './route-schema.ts';

// Members of an envelope or bundle other than objects are an id, a version, a cursor.
const memberBytesMax = 64 * 1024;

/** POST /{api-root}/collections/{id}/objects/ (TAXII 2.1 §5.5). */
export const addObjects = (hub: Hub): RouteOptions => ({
  method: 'POST',
  url: '/:apiRoot/collections/:collection/objects/',
  config: { needs: 'write' },
  bodyLimit: hub.config.bodyBytesMax,
  schema: describeRoute({
    operationId: 'addObjects',
    summary: 'Push objects',
    description:
      'An envelope, or a STIX bundle as the body. Each object is judged alone; the status says what became of each. ' +
      'Sending the same object again is a success. Only the partner that added an object first can add versions of it.',
    tag: 'Objects',
    params: ['apiRoot', 'collection'],
    body: true,
    success: { status: 202, resource: 'status', description: 'At least one object was taken; all of it is committed' },
    errors: [400, 403, 404, 413, 415, 422],
  }),
  handler: async (request, reply) => {
    const { collection, principal } = request;
    const { partnerId, partner } = principal;
    const quotaBytes = quotaOf(collection.grant, hub.config);
    const sender = { partnerId, partner, actor: toActor(request), quotaBytes };
    const now = new Date();
    const slices = await sliceEnvelope(request.body as Buffer[], hub.config);
    const anonymity = await findAnonymity(hub, collection, partnerId);
    const judged = await judge(slices, hub.validator, { policy: collection.validation, now, anonymity });
    const receivedAt = fromMicros(BigInt(now.getTime()) * 1000n);
    const envelope = { sender, judged, apiRoot: collection.api_root, receivedAt };
    const status = await hub.writers.write(collection.id, envelope, () => reply.raw.destroyed);
    if (status === undefined) return reply.hijack();
    if (status.successCount === 0) {
      // Most clients notice only the HTTP status, so that an envelope of which nothing was taken must not look fine.
      throw new HubError('envelope-refused', 'None of the objects was taken. The reasons stand under failures.', {
        details: { failures: status.failures },
      });
    }
    return sendTaxii(reply.code(202), status.resource);
  },
});

async function sliceEnvelope(blocks: Buffer[], { bodyBytesMax, envelopeObjectsMax }: Config): Promise<ObjectSlice[]> {
  const slicer = new ObjectSlicer({ elementBytesMax: bodyBytesMax, memberBytesMax });
  const slices: ObjectSlice[] = [];
  const turn = new Turn({ isFirst: false });
  for (const block of blocks) {
    for (const slice of slicer.push(block)) {
      if (slices.length === envelopeObjectsMax) {
        throw new HubError('envelope-too-many-objects', `Send at most ${envelopeObjectsMax} objects in an envelope.`);
      }
      if (!isUtf8(slice.bytes)) throw new HubError('envelope-malformed', 'The body is not valid UTF-8.');
      slices.push(slice);
    }
    if (turn.isOver()) await turn.next();
  }
  if (!slicer.end().hasObjects || slices.length === 0) {
    throw new HubError(
      'envelope-malformed',
      'The body must be an envelope: {"objects": [ … ]} with at least one object.',
    );
  }
  return slices;
}
