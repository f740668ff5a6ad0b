import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Config } from './config.ts';
import { allowedAddress } from './http/allowed-address.ts';
import { answerBytes } from './http/answer-bytes.ts';
import { authenticate } from './http/authenticate.ts';
import { clientCertificate } from './http/client-certificate.ts';
import { collectionScope } from './http/collection-scope.ts';
import { draining } from './http/draining.ts';
import { failedLogins } from './http/failed-logins.ts';
import { health } from './http/health.ts';
import { limits } from './http/limits.ts';
import { mediaType } from './http/media-type.ts';
import { trackMethods } from './http/method-not-allowed.ts';
import { oauth } from './http/oauth.ts';
import { observe } from './http/observe.ts';
import { openapi } from './http/openapi.ts';
import { rateLimits } from './http/rate-limits.ts';
import { repeatedPolls } from './http/repeated-polls.ts';
import { RequestLog } from './http/request-log.ts';
import { securityHeaders } from './http/security-headers.ts';
import { stixSchemas } from './http/stix-schemas.ts';
import { answerBrokenRequest, sendError, taxiiErrors, toHubError } from './http/taxii-errors.ts';
import { readSecureContext } from './http/tls.ts';
import { waiting } from './http/waiting.ts';
import type { Hub } from './hub.ts';
import { addObjects } from './taxii/routes/add-objects.ts';
import { deleteObject } from './taxii/routes/delete-object.ts';
import { getApiRoot } from './taxii/routes/get-api-root.ts';
import { getCollection } from './taxii/routes/get-collection.ts';
import { getCollections } from './taxii/routes/get-collections.ts';
import { getDeliveries } from './taxii/routes/get-deliveries.ts';
import { getDiscovery } from './taxii/routes/get-discovery.ts';
import { getManifest } from './taxii/routes/get-manifest.ts';
import { getMe } from './taxii/routes/get-me.ts';
import { getObject } from './taxii/routes/get-object.ts';
import { getObjects } from './taxii/routes/get-objects.ts';
import { getProvenance } from './taxii/routes/get-provenance.ts';
import { getStatus } from './taxii/routes/get-status.ts';
import { getVersions } from './taxii/routes/get-versions.ts';
import { streamObjects } from './taxii/routes/stream-objects.ts';

/**
 * Builds the whole HTTP side of a hub. The only place where Fastify is made: tests and production both call it.
 * @param logger what the hub logs with
 * @throws OperatorError where a file of TLS cannot be used
 */
export async function buildApp(hub: Hub, logger: FastifyBaseLogger): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (parent, bindings) => new RequestLog(parent, bindings),
    genReqId: () => randomUUID(),
    // One proxy: what stands further left in X-Forwarded-For is what a client claims.
    trustProxy: hub.config.trustProxy && ((_address, hop) => hop === 0),
    bodyLimit: hub.config.bodyBytesMax,
    requestTimeout: 300_000,
    ...describeServer(hub.config),
    routerOptions: {
      // Clients leave out the last slash, or write one too many; a redirect would lose their credential.
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      maxParamLength: 400,
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      request.log.info({ code: error.code, path: request.url }, 'refused before routing');
      return sendError(request, reply, toHubError(error));
    },
  });
  // Route schemas document; the code judges, with messages of its own, and resources go out as they were built.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => data => JSON.stringify(data));

  const isSecure = hub.config.tls !== undefined || hub.config.publicUrl.startsWith('https:');
  const refuseOtherMethods = trackMethods(app);

  await app.register(observe);
  await app.register(draining);
  await app.register(taxiiErrors);
  await app.register(securityHeaders, { isSecure });
  await app.register(clientCertificate, { config: hub.config });
  await app.register(failedLogins, { config: hub.config });
  await app.register(openapi, { config: hub.config });
  await app.register(health, { hub });
  await app.register(stixSchemas);
  app.get('/.well-known/jwks.json', { schema: { hide: true } }, async () => {
    const { published } = await hub.identity.verifyingKeys();
    return published;
  });

  await app.register(oauth, { hub });

  await app.register(async taxii => {
    await taxii.register(repeatedPolls, { hub });
    await taxii.register(mediaType);
    await taxii.register(authenticate, { hub });
    await taxii.register(allowedAddress, { hub });
    await taxii.register(rateLimits, { hub });
    await taxii.register(limits, { config: hub.config });
    await taxii.register(answerBytes, { config: hub.config });
    taxii.route(getDiscovery(hub));
    taxii.route(getApiRoot(hub));
    taxii.route(getCollections(hub));
    taxii.route(getStatus(hub));
    taxii.route(getMe(hub));

    await taxii.register(async collection => {
      await collection.register(collectionScope, { hub });
      await collection.register(waiting, { hub });
      collection.route(getCollection());
      collection.route(getManifest(hub));
      collection.route(getObjects(hub));
      collection.route(streamObjects(hub));
      collection.route(addObjects(hub));
      collection.route(getObject(hub));
      collection.route(deleteObject(hub));
      collection.route(getVersions(hub));
      collection.route(getProvenance(hub));
      collection.route(getDeliveries(hub));
    });
  });
  refuseOtherMethods();
  return app;
}

function describeServer({ tls }: Config) {
  const http = { maxHeaderSize: 128 * 1024, requireHostHeader: false };
  if (!tls) return { http };
  // A client certificate that does not verify counts as none (http/client-certificate.ts): most clients have one for others.
  const client = { requestCert: tls.clientCa !== undefined, rejectUnauthorized: false, handshakeTimeout: 10_000 };
  // Fastify's types tell a server with TLS from one without; what we use of it both have.
  return { https: { ...http, ...client, ...readSecureContext(tls) } as unknown as null };
}
