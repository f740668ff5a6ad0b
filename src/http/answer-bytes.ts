import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import type { ObjectPage, Page, PageBounds } from '../db/objects.ts';
import { HubError } from '../errors.ts';
import type { Pace } from '../taxii/page-cache.ts';
import { Tally } from './tally.ts';
import { whenOver } from './when-over.ts';

declare module 'fastify' {
  interface FastifyInstance {
    answerBytes: AnswerBytes;
  }
}

interface PageSize<Found> {
  /** how much of it is read: no more than pageBytesMax, but for one object that is larger */
  bytesMax: number;
  /** what is set aside before it is read */
  bytesAhead: number;
  /** what it takes; 0: there is nothing to send */
  bytesOf: (page: Found) => number;
}

/** @param bytesMax so much at the most */
type Read<Found> = (bytesMax: number) => Promise<Found> | Found;

/** What is on its way to clients, which may read slowly or not at all. */
interface AnswerBytes {
  /**
   * Reads a page once there is room for it, and counts its bytes until the client's socket has taken them.
   * @param read called again where the page is larger than what was set aside, and there is no room for it yet
   * @throws HubError overloaded where there is no room for too long
   */
  hold<Found>(request: FastifyRequest, reply: FastifyReply, size: PageSize<Found>, read: Read<Found>): Promise<Found>;
  /** The same for a part of an answer. @returns `release`, for when the socket has taken it; the end of the answer does it too */
  holdPart<Found>(
    request: FastifyRequest,
    reply: FastifyReply,
    size: PageSize<Found>,
    read: Read<Found>,
  ): Promise<{ page: Found; release: () => void }>;
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
// What a connection takes anyway.
const uncountedBytesMax = 16 * 1024;

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
  /** @returns whether there is room, and nobody in front who waits for it; else it waits, too */
  const queue = (one: Waiting): boolean => {
    waiting.add(one);
    waitingOfPartners.add(one.partnerId, 1);
    letIn();
    return !waiting.has(one);
  };
  const enter = (request: FastifyRequest, reply: FastifyReply, bytes: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { partnerId } = request.principal;
      let timer: NodeJS.Timeout | undefined;
      let unwatch = () => {};
      const stop = () => {
        clearTimeout(timer);
        unwatch();
      };
      const one = {
        partnerId,
        bytes,
        enter: () => {
          stop();
          resolve();
        },
      };
      const giveUp = () => {
        stop();
        leave(one);
        reject(tooMuch());
        // Those behind it may need less.
        letIn();
      };
      if (queue(one)) return;
      if (waiting.size > waitingMax || waitingOfPartners.of(partnerId) > waitingMax / 4) return giveUp();
      timer = setTimeout(giveUp, waitMsMax);
      // A client that has hung up leaves its place to others.
      unwatch = whenOver(request, reply, giveUp);
    });
  const enterNow = (partnerId: string, bytes: number): boolean => {
    const one = { partnerId, bytes, enter: () => {} };
    const isIn = queue(one);
    leave(one);
    return isIn;
  };
  const toCounted = (bytes: number) => (bytes > uncountedBytesMax ? Math.min(bytes, partnerBytesMax) : 0);

  const holdPart: AnswerBytes['holdPart'] = async (request, reply, { bytesMax, bytesAhead, bytesOf }, read) => {
    const { partnerId } = request.principal;
    const readMax = Math.min(bytesMax, config.pageBytesMax);
    let needed = Math.min(bytesAhead, readMax);
    let held = 0;
    const settle = (bytes: number): void => {
      count(partnerId, bytes - held);
      held = bytes;
    };
    // Within a function of its own, so that a page that is let go is not held on to while there is no room for it.
    const readWithin = async () => {
      const page = await read(readMax);
      needed = toCounted(bytesOf(page));
      if (needed > held && !enterNow(partnerId, needed - held)) return undefined;
      if (needed > held) held = needed;
      else settle(needed);
      return { page };
    };
    const end = () => settle(0);
    try {
      for (;;) {
        if (needed > 0) await enter(request, reply, needed);
        held = needed;
        const found = await readWithin();
        if (found) return { ...found, release: held > 0 ? endOnce(request, reply, end) : end };
        end();
      }
    } catch (error) {
      end();
      throw error;
    }
  };
  app.decorate('answerBytes', {
    holdPart,
    hold: async (...page) => (await holdPart(...page)).page,
  });
});

/** @returns what calls `end`, as the end of the answer does. The client is cut off where that takes too long. */
function endOnce(request: FastifyRequest, reply: FastifyReply, end: () => void): () => void {
  // An answer behind earlier ones of its connection has no socket yet.
  const timer = setTimeout(() => request.raw.socket.destroy(), answerMsMax).unref();
  const stop = () => {
    clearTimeout(timer);
    end();
  };
  const giveUp = whenOver(request, reply, stop);
  return () => {
    giveUp();
    stop();
  };
}

// More than most objects have; a page of larger ones is cut shorter. Were it more, the largest page would leave its partner
// no room for a second one.
const objectBytes = 2 * 1024;
const pageBytesMin = 4 * 1024 * 1024;
// Of a manifest, with a long version and id.
const entryBytes = 256;

/** The size of a page of objects, before and after it is read. While it waits for its turn, it takes no room from others. */
export function objectsOf({ objectsMax }: PageBounds, pace: Pace = 'now'): PageSize<ObjectPage> {
  const bytes = Math.max(pageBytesMin, objectsMax * objectBytes);
  return { bytesMax: bytes, bytesAhead: pace === 'now' ? bytes : 0, bytesOf: page => page.bytes };
}

/** The size of an event, which is read in turn. */
export function eventOf({ bytesMax }: PageBounds): PageSize<ObjectPage> {
  return { bytesMax, bytesAhead: 0, bytesOf: page => page.bytes };
}

/** The size of a page of entries. */
export function entriesOf({ objectsMax }: PageBounds): PageSize<Page<unknown>> {
  const bytes = objectsMax * entryBytes;
  return { bytesMax: bytes, bytesAhead: bytes, bytesOf: page => page.rows.length * entryBytes };
}

/** The size of a status, which names each object of its envelope. It is read whole. */
export const statusSize: PageSize<Buffer | undefined> = {
  bytesMax: 0,
  bytesAhead: 0,
  bytesOf: status => status?.length ?? 0,
};

function tooMuch(): HubError {
  return new HubError('overloaded', 'The hub is busy sending other answers. Try again shortly.');
}
