import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { ObjectPage } from '../../db/objects.ts';
import { HubError } from '../../errors.ts';
import { eventOf } from '../../http/answer-bytes.ts';
import { eventStreamMediaType } from '../../http/media-type.ts';
import { logFailure, toHubError } from '../../http/taxii-errors.ts';
import type { ReadPage } from '../../http/waiting.ts';
import type { Hub } from '../../hub.ts';
import { encodeCursor } from '../cursor.ts';
import { toEnvelope } from '../envelope.ts';
import { toEvent } from '../event.ts';
import type { MatchField, Query } from '../filter.ts';
import { readPage, type TaxiiPage } from '../page.ts';
import { recordPage } from '../receipts.ts';
import { describeRoute } from './route-schema.ts';

// The cursors of polls, so that a client can go on by the one or the other.
const operation = 'getObjects';
const fields: MatchField[] = ['id', 'type', 'version', 'spec_version'];
// Of an event, unless one object is larger: of each stream some of them may be on their way to a client that reads slowly.
const eventBytesMax = 64 * 1024;
// So many ordinary objects fill it, so that little is read in vain.
const eventObjectsMax = 100;
// Proxies close connections over which nothing comes.
const quietMsMax = 15_000;
// For clients that take nothing.
const stalledMsMax = 60_000;
const reconnectMs = 1000;

/** GET /{api-root}/collections/{id}/objects/stream/: the pages of a poller that never ends, as Server-Sent Events. */
export const streamObjects = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/collections/:collection/objects/stream/',
  config: { needs: 'read', produces: eventStreamMediaType },
  schema: describeRoute({
    operationId: 'streamObjects',
    summary: 'Have objects sent as they come',
    description:
      'Server-Sent Events: the data of each is an envelope, its id a cursor, to send as `Last-Event-ID` or `next`. Begins ' +
      'where a poll with this query would, and goes on with what is added. Not part of TAXII.',
    tag: 'Objects',
    params: ['apiRoot', 'collection'],
    match: fields,
    streams: true,
    success: { status: 200, description: 'A stream that ends when access does, or the hub stops' },
    errors: [400, 403, 404],
  }),
  handler: async (request, reply) => {
    const headers = {
      'content-type': eventStreamMediaType,
      'cache-control': 'no-store',
      // What ends a stream ends its connection; and nginx must not collect what is to be passed on at once.
      connection: 'close',
      'x-accel-buffering': 'no',
    };
    if (request.method === 'HEAD') return reply.headers(headers).send();
    // Ends with the answer, whatever that will be.
    const wait = request.server.waiting.start(request, reply);
    if (!wait)
      throw new HubError('overloaded', 'Too many clients wait or have a stream open. Poll, or try again later.');
    const scan = createScan(hub, request, reply);
    const first = await scan.read(request);
    const pages = request.server.waiting.readOn(request, wait.signal, first.head.more, scan.read);
    endStalled(reply, wait.signal);
    return reply.headers(headers).send(Readable.from(writeEvents(hub, request, follow([first], pages), scan)));
  },
});

type EventPage = TaxiiPage<ObjectPage>;

/** Reads one page after the other, and notes each. */
interface ObjectScan {
  /** counts what it has read, until it is told to go on, or the stream is over */
  read: ReadPage<ObjectPage>;
  /** The client's socket has taken the last page. @param cursor where the next one begins */
  goOn(cursor: string): void;
}

function createScan(hub: Hub, request: FastifyRequest, reply: FastifyReply): ObjectScan {
  const { pageBytesMax, pageObjectsMax, pageObjectsDefault } = hub.config;
  const bounds = {
    pageBytesMax: Math.min(eventBytesMax, pageBytesMax),
    pageObjectsMax: Math.min(eventObjectsMax, pageObjectsMax),
    pageObjectsDefault: Math.min(eventObjectsMax, pageObjectsDefault),
  };
  const context = { ...hub, config: bounds };
  const eventId = request.headers['last-event-id'];
  let query: Query = { ...(request.query as Query), ...(eventId && { next: eventId }) };
  let release = () => {};
  return {
    async read(access, again) {
      // Of a page that was read and could not be noted.
      release();
      const { collection } = access;
      const page = await readPage(
        { operation, collection, fields, lookedThrough: again?.lookedThrough },
        query,
        context,
        async (filter, bounds) => {
          const read = () => hub.readObjects(access, filter, bounds, 'in turn');
          const part = await request.server.answerBytes.holdPart(request, reply, eventOf(bounds), read);
          release = part.release;
          return part.page;
        },
      );
      await recordPage(hub, request, page.found?.dates ?? []);
      return page;
    },
    goOn(cursor) {
      release();
      query = { ...query, next: cursor };
    },
  };
}

/** The pages of a stream. What has been sent is not held on to, since it may be large. */
async function* follow(
  begun: EventPage[],
  pages: AsyncGenerator<EventPage | undefined>,
): AsyncGenerator<EventPage | undefined> {
  for (let first = begun.pop(); first; first = begun.pop()) yield first;
  yield* pages;
}

async function* writeEvents(
  hub: Hub,
  request: FastifyRequest,
  pages: AsyncGenerator<EventPage | undefined>,
  scan: ObjectScan,
): AsyncGenerator<Buffer> {
  yield Buffer.from(`retry: ${reconnectMs}\n\n`);
  let sentAt = performance.now();
  try {
    for await (const page of pages) {
      const now = performance.now();
      if (page?.found?.count) {
        const id = encodeCursor(page.place, hub.identity.cursorKey);
        yield* toEvent(id, toEnvelope({ more: false }, page.found) as Buffer);
        // Whoever pipes this asks for more once the socket has taken all but the last piece.
        scan.goOn(id);
      } else if (now - sentAt >= quietMsMax) yield Buffer.from(':\n\n');
      else continue;
      sentAt = now;
    }
  } catch (error) {
    // The client comes again, and is told by the status.
    logFailure(request, toHubError(error as HubError));
  }
}

/** Closes the connection where its client takes nothing, and so would not notice that the stream ends. */
function endStalled({ raw }: FastifyReply, signal: AbortSignal): void {
  raw.setTimeout(stalledMsMax, () => raw.destroy());
  signal.addEventListener('abort', () => {
    if (raw.writableLength > 0) raw.destroy();
  });
}
