import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { createAddressMatcher } from '../auth/addresses.ts';
import { findPartnerAddresses } from '../db/partners.ts';
import { HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import { hook } from './hook.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** @throws HubError address-forbidden */
    requireAllowedAddress(request: FastifyRequest): Promise<void> | void;
  }
}

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
  const requireAllowedAddress = (request: FastifyRequest): Promise<void> | void => {
    const known = remembered.get(request.principal.partnerId);
    if (known?.trust === hub.watch.trust) return requireAllowed(request, known);
    return findAllowed(request.principal.partnerId).then(found => requireAllowed(request, found));
  };
  app.decorate('requireAllowedAddress', requireAllowedAddress);
  app.addHook('onRequest', hook(requireAllowedAddress));
});

function requireAllowed({ principal, ip }: FastifyRequest, { isAllowed }: Remembered): void {
  if (isAllowed(ip)) return;
  throw new HubError(
    'address-forbidden',
    `Your request came from ${ip.slice(0, 100)}, from where ${principal.partner} may not come. Ask the operator of the hub.`,
  );
}
