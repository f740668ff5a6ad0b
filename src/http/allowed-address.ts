import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { createAddressMatcher } from '../auth/addresses.ts';
import { findPartnerAddresses } from '../db/partners.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';

// How long a partner's list is believed: a change counts within two seconds on every node.
const rememberMs = 1000;

/** Lets each partner in from the addresses that the operator has allowed (403). Register it after authentication. */
export const allowedAddress = fp(async (app, { hub }: { hub: Hub }) => {
  const matchers = new LRUCache<string, (address: string) => boolean>({
    max: 10_000,
    ttl: rememberMs,
    fetchMethod: async partnerId => {
      const addresses = await findPartnerAddresses(hub.db, partnerId);
      return addresses === null ? () => true : createAddressMatcher(addresses);
    },
  });
  app.addHook('onRequest', async ({ principal, ip }) => {
    const isAllowed = await matchers.fetch(principal.partnerId);
    if (isAllowed?.(ip)) return;
    throw new HubError(
      'address-forbidden',
      `Your request came from ${ip.slice(0, 100)}, from where ${principal.partner} may not come. Ask the operator of the hub.`,
    );
  });
});
