import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config.ts';
import { HubError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyInstance {
    failedLogins: FailedLogins;
  }
}

/** Tokens with which objects are asked for, and the secrets and assertions with which clients ask for tokens. */
type Kind = 'token' | 'client';

/** The wrong credentials of each kind that came from each address within a minute. */
interface FailedLogins {
  /** counts a wrong credential */
  count(request: FastifyRequest, kind: Kind): void;
  /**
   * Call it before a check that is costly, or that guessing could pass; where neither is so, after the check has failed,
   * so that good credentials from a shared address go on working.
   * @throws HubError too-many-requests
   */
  refuseBeyondLimit(request: FastifyRequest, kind: Kind): void;
}

const windowMs = 60_000;
const addressesMax = 10_000;

/** Bounds wrong credentials by address, IPv6 by /64, in the memory of this node. */
export const failedLogins = fp(async (app, { config }: { config: Config }) => {
  const counts = new LRUCache<string, number>({ max: addressesMax, ttl: windowMs, noUpdateTTL: true });
  app.decorate('failedLogins', {
    count(request, kind) {
      const key = keyOf(request, kind);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    refuseBeyondLimit(request, kind) {
      const key = keyOf(request, kind);
      if (config.failedLoginsPerMinute === 0 || (counts.get(key) ?? 0) <= config.failedLoginsPerMinute) return;
      throw new HubError(
        'too-many-requests',
        'Too many wrong credentials came from your address. Check yours, and try again after Retry-After seconds.',
        { retryAfterSeconds: Math.max(1, Math.ceil(counts.getRemainingTTL(key) / 1000)) },
      );
    },
  });
});

// What a proxy passes on may be any text.
function keyOf({ ip }: FastifyRequest, kind: Kind): string {
  return `${kind} ${normalizeIP(ip.slice(0, 64))}`;
}
