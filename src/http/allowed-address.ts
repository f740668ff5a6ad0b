import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { createAddressMatcher } from '../auth/addresses.ts';
import { findPartnerAddresses } from '../db/partners.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';

interface Remembered {
  trust: string;
  isAllowed: (address: string) => boolean;
}

/** Lets each partner in from the addresses that the operator has allowed (403). Register it after authentication. */
export const allowedAddress = fp(async (app, { hub }: { hub: Hub }) => {
  const remembered = new LRUCache<string, Remembered>({ max: 10_000 });
  const findAllowed = async (partnerId: string): Promise<Remembered> => {
    const { trust } = hub.watch;
    const addresses = await findPartnerAddresses(hub.db, partnerId);
    const isAllowed = addresses === null ? () => true : createAddressMatcher(addresses);
    remembered.set(partnerId, { trust, isAllowed });
    return { trust, isAllowed };
  };
  app.addHook('onRequest', async ({ principal, ip }) => {
    const known = remembered.get(principal.partnerId);
    const isCurrent = known?.trust === hub.watch.trust;
    const { isAllowed } = isCurrent ? known : await findAllowed(principal.partnerId);
    if (isAllowed(ip)) return;
    throw new HubError(
      'address-forbidden',
      `Your request came from ${ip.slice(0, 100)}, from where ${principal.partner} may not come. Ask the operator of the hub.`,
    );
  });
});
