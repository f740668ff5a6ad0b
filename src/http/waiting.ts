import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { PageEnds } from '../db/objects.ts';
import type { Hub } from '../hub.ts';
import type { TaxiiPage } from '../taxii/page.ts';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { Access } from './collection-scope.ts';
import { readWaitSeconds } from './prefer.ts';
import { Tally } from './tally.ts';
import { toHubError } from './taxii-errors.ts';
import { isOver, whenOver } from './when-over.ts';

declare module 'fastify' {
  interface FastifyInstance {
    waiting: Waiting;
  }
}

/** Reads a page with the access that a client has now. @param again where it is not the first one */
export type ReadPage<Found> = (access: Access, again?: ReadAgain) => Promise<TaxiiPage<Found>>;

interface ReadAgain {
  /** as in Scan */
  lookedThrough: TaxiiTimestamp | undefined;
}

/** Clients of this node that wait for objects that are not there yet. */
interface Waiting {
  /**
   * Lets a client wait, until it hangs up, the hub stops or `end` is called.
   * @returns undefined where too many wait already, of its partner or at all, or the hub stops
   */
  start(request: FastifyRequest, reply: FastifyReply): { signal: AbortSignal; end: () => void } | undefined;
  /**
   * Reads on after a first page: at once where there is more, else when the collection has changed. Ends when the signal
   * aborts. Holds on to no page.
   * @returns pages, which may be empty, and undefined now and then where nothing has changed
   * @throws HubError where the client has lost its access meanwhile
   */
  readOn<Found>(
    request: FastifyRequest,
    signal: AbortSignal,
    hasMore: boolean,
    read: ReadPage<Found>,
  ): AsyncGenerator<TaxiiPage<Found> | undefined>;
  /**
   * Reads a page. Where there is nothing on it and the client would rather wait (RFC 7240 §4.3), reads it again until there
   * is, or the time is over.
   * @returns undefined where the client has hung up meanwhile
   */
  readOrWait<Found extends PageEnds>(
    request: FastifyRequest,
    reply: FastifyReply,
    read: ReadPage<Found>,
  ): Promise<TaxiiPage<Found> | undefined>;
}

// Of all that may wait on this node, what one partner may take.
const partnerShare = 0.25;
// How often access is decided anew while there is nothing to read; before anything is read it is decided anyway.
const checkMs = 500;
// The reason why a wait ends, which nobody reads: without one, each would be an exception with a stack.
const over = 'over';
// While the database is away.
const retryMs = 250;

/** Register it after collectionScope. */
export const waiting = fp(async (app, { hub }: { hub: Hub }) => {
  const { waitingMax, waitSecondsMax } = hub.config;
  const ofPartners = new Tally();
  const clients = new Set<AbortController>();
  let isStopping = false;
  app.addHook('preClose', async () => {
    isStopping = true;
    for (const client of clients) client.abort(over);
  });

  const start: Waiting['start'] = (request, reply) => {
    const { partnerId } = request.principal;
    const isFull = clients.size >= waitingMax || ofPartners.of(partnerId) >= Math.ceil(waitingMax * partnerShare);
    if (isFull || isStopping) return undefined;
    const client = new AbortController();
    clients.add(client);
    ofPartners.add(partnerId, 1);
    const end = () => {
      if (clients.delete(client)) ofPartners.add(partnerId, -1);
      client.abort(over);
    };
    const giveUp = whenOver(request, reply, end);
    app.stopPacing(request);
    return {
      signal: client.signal,
      end: () => {
        giveUp();
        end();
      },
    };
  };

  const readOn: Waiting['readOn'] = async function* (request, signal, hasMore, read) {
    let access: Access = request;
    let isBehind = hasMore;
    const readAgain = async () => {
      const now = await request.server.decideAgain(request);
      const { grants_revision, revision, date_added_last } = access.collection;
      const hasSameRights = now.generation === access.generation && now.collection.grants_revision === grants_revision;
      if (hasSameRights && now.collection.revision === revision && !isBehind) return undefined;
      // What one may see does not appear further back while rights stay as they are, but for what becomes the last version
      // again: as for every poller that has passed by.
      const page = await read(now, { lookedThrough: hasSameRights && !isBehind ? date_added_last : undefined });
      access = now;
      isBehind = page.head.more;
      return page;
    };
    for (;;) {
      if (!isBehind) await hub.watch.changed(access.collection, { signal, msMax: checkMs });
      if (signal.aborted) return;
      try {
        yield await readAgain();
      } catch (error) {
        if (signal.aborted) return;
        if (toHubError(error as Error & { code: string }).status !== 503) throw error;
        await sleep(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  };

  const readOrWait: Waiting['readOrWait'] = async (request, reply, read) => {
    reply.header('vary', 'Prefer');
    const seconds = request.method === 'GET' ? Math.min(readWaitSeconds(request.headers.prefer), waitSecondsMax) : 0;
    const first = await read(request);
    const isThere = hasObjects(first);
    const wait = isThere || seconds === 0 ? undefined : start(request, reply);
    if (wait || (isThere && seconds > 0)) reply.header('preference-applied', `wait=${seconds}`);
    if (!wait) return first;
    const timer = setTimeout(wait.end, seconds * 1000);
    try {
      for await (const page of readOn(request, wait.signal, false, read)) if (page && hasObjects(page)) return page;
    } finally {
      clearTimeout(timer);
      wait.end();
    }
    return isOver(request, reply) ? undefined : first;
  };
  app.decorate('waiting', { start, readOn, readOrWait });
});

function hasObjects({ found }: TaxiiPage<PageEnds>): boolean {
  return found?.dateLast !== undefined;
}
