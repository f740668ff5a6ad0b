import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import { hook } from './hook.ts';
import { SharedCounts } from './shared-counts.ts';
import { Tally } from './tally.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request, once. @returns what to wait for, where it is to be slowed down. @throws HubError too-many-requests */
    pace(request: FastifyRequest, reply: FastifyReply): Promise<void> | void;
    /** From here on the request only waits: others of its partner are not slowed down on account of it. */
    stopPacing(request: FastifyRequest): void;
  }
  interface FastifyRequest {
    /** how long the request was held back, in milliseconds, where it was */
    heldMs: number | undefined;
    /** whether it counts as under way, for the pace of its partner's others */
    isPaced: boolean;
  }
}

// Of one partner on this node. More connections than a poller has, and few enough to keep open.
const heldMax = 64;
const holdMsMax = 5000;
// Of the limit. The rest is for what several nodes and connections let through at once when little is left.
const pacedShare = 0.95;

/**
 * How long to hold a request back, so that a partner with few connections never reaches its limit: what is left of the
 * minute, shared out among the requests that are left, for each of those under way. Several nodes that share out the
 * same rest see each other's requests, so that each shares out less the next time.
 * @param count the limit, the requests of this minute, the milliseconds left of it, the partner's requests under way
 * @returns milliseconds; 0 up to half of the limit
 */
export function choosePauseMs(count: { max: number; current: number; leftMs: number; underWay: number }): number {
  const { max, current, leftMs, underWay } = count;
  if (current <= max / 2) return 0;
  const left = Math.max(0, pacedShare * max - current);
  return Math.min((leftMs * underWay) / left, leftMs, holdMsMax);
}

/**
 * Slows a partner down from half of its requests of a minute on; beyond them, 429 with Retry-After. A client that is
 * refused may lose what it came for, so that only a flood is. Register it after authentication.
 */
export const rateLimits = fp(async (app, { hub }: { hub: Hub }) => {
  app.decorateRequest('heldMs', undefined);
  app.decorateRequest('isPaced', false);
  const underWay = new Tally();
  const end = (request: FastifyRequest) => {
    if (!request.isPaced) return;
    request.isPaced = false;
    underWay.add(request.principal.partnerId, -1);
  };
  app.decorate('stopPacing', end);
  const max = hub.config.requestsPerMinute;
  if (max === 0) {
    app.decorate('pace', () => undefined);
    return;
  }

  const counts = new SharedCounts(hub.db, app.log);
  app.addHook('onClose', () => counts.close());
  const held = new Tally();

  const slowDown = async (request: FastifyRequest, reply: FastifyReply, pauseMs: number): Promise<void> => {
    const { partnerId } = request.principal;
    held.add(partnerId, 1);
    await hold(request, pauseMs);
    held.add(partnerId, -1);
    request.heldMs = Math.round(pauseMs);
    if (request.raw.destroyed) {
      end(request);
      reply.hijack();
      return;
    }
    // Its credential may have been revoked meanwhile.
    request.principal = await app.identify(request);
  };
  const admit = (request: FastifyRequest, reply: FastifyReply): Promise<void> | void => {
    if (request.isPaced) return undefined;
    if (request.raw.destroyed) {
      reply.hijack();
      return undefined;
    }
    const { partnerId } = request.principal;
    underWay.add(partnerId, 1);
    request.isPaced = true;
    const { current, leftMs } = counts.add(partnerId);
    const pauseMs = choosePauseMs({ max, current, leftMs, underWay: underWay.of(partnerId) });
    if (current > max || (pauseMs > 0 && held.of(partnerId) >= heldMax)) throw tooManyRequests(max, leftMs);
    return pauseMs === 0 ? undefined : slowDown(request, reply, pauseMs);
  };
  app.decorate('pace', admit);
  app.addHook('onRequest', hook(admit));
  // Every request comes by here once; one whose client hangs up before its body has come, only at the second.
  app.addHook('onSend', (request, _reply, _payload, done) => {
    end(request);
    done();
  });
  app.addHook('onRequestAbort', async request => end(request));
});

/** Waits, but no longer than the client does. */
async function hold({ raw }: FastifyRequest, pauseMs: number): Promise<void> {
  const gone = new AbortController();
  const abort = () => gone.abort();
  raw.once('close', abort);
  await sleep(raw.destroyed ? 0 : pauseMs, undefined, { signal: gone.signal }).catch(() => {});
  raw.off('close', abort);
}

function tooManyRequests(max: number, leftMs: number): HubError {
  return new HubError(
    'too-many-requests',
    `You may send ${max} requests a minute, over a few connections at a time. Try again after Retry-After seconds.`,
    { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) },
  );
}
