import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import type { ObjectPage, Page, PageBounds } from '../db/objects.ts';
import { HubError } from '../errors.ts';
import { Tally } from './tally.ts';
import { whenOver } from './when-over.ts';

declare module 'fastify' {
  interface FastifyInstance {
    answerBytes: AnswerBytes;
  }
}

interface PageSize<Found> {
  /** what is set aside before it is read: no more than pageBytesMax */
  bytesMax: number;
  /** what it takes; 0: there is nothing to send */
  bytesOf: (page: Found) => number;
}

/** What is on its way to clients, which may read slowly or not at all. */
interface AnswerBytes {
  /**
   * Reads a page once there is room for it, and counts its bytes until the client's socket has taken them.
   * @param read is told how many bytes are set aside, so that it reads no more
   * @throws HubError overloaded where there is no room for too long
   */
  hold<Found>(
    request: FastifyRequest,
    reply: FastifyReply,
    size: PageSize<Found>,
    read: (bytesMax: number) => Promise<Found> | Found,
  ): Promise<Found>;
}

interface Waiting {
  partnerId: string;
  bytes: number;
  enter: () => void;
}

const waitingMax = 1000;
const waitMsMax = 10_000;
// As long as a request may take to come.
const answerMsMax = 300_000;

/**
 * Bounds the bytes of answers on their way: a page is read only when there is room for it, of which one partner can hold a
 * quarter. Requests wait a while for room, then 503 with Retry-After. A client that does not take its answer is cut off.
 */
export const answerBytes = fp(async (app, { config }: { config: Config }) => {
  const bytesMax = config.answerBytesInFlightMax;
  // Clients that do not read must not shut out other partners.
  const partnerBytesMax = Math.max(config.pageBytesMax, bytesMax / 4);
  let inFlight = 0;
  const ofPartners = new Tally();
  const waiting = new Set<Waiting>();
  const waitingOfPartners = new Tally();

  const count = (partnerId: string, bytes: number): void => {
    inFlight += bytes;
    ofPartners.add(partnerId, bytes);
    if (bytes < 0) letIn();
  };
  // In the order in which they came, so that a large page is not overtaken by small ones for ever. Where it is the share of a
  // partner that is full, its requests alone wait for that.
  const letIn = (): void => {
    const full = new Set<string>();
    for (const one of waiting) {
      const { partnerId, bytes, enter } = one;
      if (full.has(partnerId)) continue;
      if (ofPartners.of(partnerId) + bytes > partnerBytesMax) full.add(partnerId);
      else if (inFlight + bytes > bytesMax) return;
      else {
        leave(one);
        count(partnerId, bytes);
        enter();
      }
    }
  };
  const leave = (one: Waiting): void => {
    if (waiting.delete(one)) waitingOfPartners.add(one.partnerId, -1);
  };
  const enter = (partnerId: string, bytes: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const one = {
        partnerId,
        bytes,
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const giveUp = () => {
        leave(one);
        reject(tooMuch());
        // Those behind it may need less.
        letIn();
      };
      waiting.add(one);
      waitingOfPartners.add(partnerId, 1);
      letIn();
      if (waiting.size > waitingMax || waitingOfPartners.of(partnerId) > waitingMax / 4) giveUp();
      else if (waiting.has(one)) timer = setTimeout(giveUp, waitMsMax);
    });

  const hold: AnswerBytes['hold'] = async (request, reply, { bytesMax, bytesOf }, read) => {
    const { partnerId } = request.principal;
    let held = Math.min(bytesMax, config.pageBytesMax);
    await enter(partnerId, held);
    const settle = (bytes: number): void => {
      count(partnerId, bytes - held);
      held = bytes;
    };
    try {
      const page = await read(held);
      settle(bytesOf(page));
      if (held > 0) {
        // An answer behind earlier ones of its connection has no socket yet.
        const timer = setTimeout(() => request.raw.socket.destroy(), answerMsMax).unref();
        whenOver(request, reply, () => {
          clearTimeout(timer);
          settle(0);
        });
      }
      return page;
    } catch (error) {
      settle(0);
      throw error;
    }
  };
  app.decorate('answerBytes', { hold });
});

// More than most objects have; a page of larger ones is cut shorter. Were it more, the largest page would leave its partner
// no room for a second one.
const objectBytes = 2 * 1024;
const pageBytesMin = 4 * 1024 * 1024;
// Of a manifest, with a long version and id.
const entryBytes = 256;

/** The size of a page of objects, before and after it is read. */
export function objectsOf({ objectsMax }: PageBounds): PageSize<ObjectPage> {
  return { bytesMax: Math.max(pageBytesMin, objectsMax * objectBytes), bytesOf: page => page.bytes };
}

/** The size of a page of entries. */
export function entriesOf({ objectsMax }: PageBounds): PageSize<Page<unknown>> {
  return { bytesMax: objectsMax * entryBytes, bytesOf: page => page.rows.length * entryBytes };
}

function tooMuch(): HubError {
  return new HubError('overloaded', 'The hub is busy sending other answers. Try again shortly.');
}
