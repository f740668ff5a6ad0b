import type { FastifyRequest, RouteOptions } from 'fastify';
import { formatScope, type Rights } from '../../auth/scopes.ts';
import type { GrantedCollection } from '../../db/grants.ts';
import { getPartner } from '../../db/partners.ts';
import { listStorage } from '../../db/storage.ts';
import { sendTaxii } from '../../http/media-type.ts';
import type { Hub } from '../../hub.ts';
import { tlpLabels } from '../../stix/tlp.ts';
import { findVisibleRoot } from '../access.ts';
import { quotaOf } from '../quota.ts';
import { fromMicros } from '../timestamp.ts';
import { describeRoute } from './route-schema.ts';

/** GET /{api-root}/me/: what a client may ask about itself. TAXII has no such endpoint. */
export const getMe = (hub: Hub): RouteOptions => ({
  method: 'GET',
  url: '/:apiRoot/me/',
  schema: describeRoute({
    operationId: 'getMe',
    summary: 'Describe yourself',
    description: 'Your partner, credential, rights in the collections of this API root, storage and limits.',
    tag: 'Server information',
    params: ['apiRoot'],
    success: { status: 200, resource: 'me', description: 'What the hub knows of you' },
    errors: [404],
  }),
  handler: async (request, reply) => {
    const { principal } = request;
    const { apiRoot } = request.params as { apiRoot: string };
    const { visible } = await findVisibleRoot(hub.db, principal, apiRoot);
    const { slug, name, sector } = await getPartner(hub.db, principal.partnerId);
    const stored = await listStorage(hub.db, principal.partnerId);
    const collections = visible.map(one => describeCollection(one, stored.get(one.collection.id) ?? 0, hub));
    return sendTaxii(reply, {
      partner: { slug, name, sector },
      credential: describeCredential(request),
      scopes: formatScope(principal.scopes),
      ...(collections.length > 0 && { collections }),
      limits: describeLimits(hub),
    });
  },
});

function describeCredential({ principal }: FastifyRequest) {
  return {
    id: principal.tokenId,
    expires_at: fromMicros(BigInt(principal.expiresAt) * 1_000_000n),
    certificate_bound: principal.certificate !== undefined,
  };
}

function describeCollection(
  { collection, rights }: { collection: GrantedCollection; rights: Rights },
  storedBytes: number,
  { config }: Hub,
) {
  const { id, alias, title, grant } = collection;
  const quotaBytes = quotaOf(grant, config);
  return {
    id,
    alias,
    title,
    can_read: rights.read,
    can_write: rights.write,
    ...(rights.read && { tlp_ceiling: tlpLabels[grant.tlp_ceiling] }),
    ...(rights.write && {
      storage: { used_bytes: storedBytes, ...(quotaBytes !== undefined && { quota_bytes: quotaBytes }) },
    }),
  };
}

function describeLimits({ config }: Hub) {
  const { requestsPerMinute } = config;
  return {
    ...(requestsPerMinute > 0 && {
      requests_per_minute: requestsPerMinute,
      slowed_from: Math.floor(requestsPerMinute / 2) + 1,
    }),
    max_content_length: config.bodyBytesMax,
    envelope_objects_max: config.envelopeObjectsMax,
    page_objects_default: config.pageObjectsDefault,
    page_objects_max: config.pageObjectsMax,
    page_bytes_max: config.pageBytesMax,
  };
}
