import type { RouteOptions } from 'fastify';
import { objectsOf } from '../../http/answer-bytes.ts';
import { answerPage } from '../../http/page-answer.ts';
import type { Hub } from '../../hub.ts';
import { toEnvelope } from '../envelope.ts';
import type { MatchField, Query } from '../filter.ts';
import { readPage } from '../page.ts';
import { recordPage } from '../receipts.ts';
import { describeRoute } from './route-schema.ts';

const operationId = 'getObjects';
const fields: MatchField[] = ['id', 'type', 'version', 'spec_version'];

/** GET /{api-root}/collections/{id}/objects/ (TAXII 2.1 §5.4): what SIEMs poll. */
export const getObjects = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/',
  config: { needs: 'read' },
  schema: describeRoute({
    operationId,
    summary: 'Poll objects',
    description:
      'Oldest addition first. While `more` is true, go on with `next`; then poll again with `added_after` set to ' +
      '`X-TAXII-Date-Added-Last`. Every object comes exactly once.',
    tag: 'Objects',
    params: ['apiRoot', 'collection'],
    match: fields,
    paged: true,
    waits: true,
    success: { status: 200, resource: 'envelope', description: 'A page of objects' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const page = await request.server.waiting.readOrWait(request, reply, (access, again) =>
      readPage(
        { operation: operationId, collection: access.collection, fields, lookedThrough: again?.lookedThrough },
        request.query as Query,
        hub,
        (filter, bounds) => {
          const pace = again ? 'in turn' : 'now';
          return request.server.answerBytes.hold(request, reply, objectsOf(bounds, pace), bytesMax =>
            hub.readObjects(access, filter, { ...bounds, bytesMax }, pace),
          );
        },
      ),
    );
    if (!page) return reply.hijack();
    const { found, head, headers } = page;
    if (!found) {
      request.isRepeatable = true;
      return answerPage(request, reply, { headers: { ...headers, vary: 'Prefer' }, identity: head, write: () => head });
    }
    const { dates } = found;
    return answerPage(request, reply, {
      headers,
      // An object's text never changes, and no other one gets its date; what was replayed moves behind the last one.
      identity: [request.collection.id, head, dates],
      record: () => recordPage(hub, request, dates),
      write: () => toEnvelope(head, found),
    });
  },
});
