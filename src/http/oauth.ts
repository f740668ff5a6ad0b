import type { FastifyError, FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { issueClientToken } from '../auth/client-tokens.ts';
import { createClientAuthenticator } from '../auth/clients.ts';
import { partnerAlgorithms } from '../auth/partner-keys.ts';
import { authenticationMethods, readTokenRequest } from '../auth/token-request.ts';
import { type ErrorCode, HubError } from '../errors.ts';
import type { Hub } from '../hub.ts';
import { describeMetadata, describeToken, formMediaType } from './oauth-schema.ts';
import { logFailure, toHubError } from './taxii-errors.ts';

const bodyBytesMax = 64 * 1024;
const tokenPath = '/oauth2/token';

/** OAuth 2.0 client credentials (RFC 6749 §4.4) and what clients find them by (RFC 8414). Speaks no TAXII. */
export async function oauth(app: FastifyInstance, { hub }: { hub: Hub }): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    formMediaType,
    { parseAs: 'string' },
    async (_request: FastifyRequest, body: string) => body,
  );
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const hubError = toHubError(error);
    logFailure(request, hubError);
    // RFC 6749 §5.2. Clients that sent no such header take a challenge for the whole answer, and miss the error in it.
    const isChallenged = hubError.status === 401 && request.headers.authorization !== undefined;
    if (isChallenged) reply.header('www-authenticate', 'Basic realm="taxiway", charset="UTF-8"');
    if (hubError.retryAfterSeconds !== undefined) reply.header('retry-after', String(hubError.retryAfterSeconds));
    return reply.code(hubError.status).send(toOauthError(hubError));
  });
  app.route(requestToken(hub, app.failedLogins));
  app.route(getMetadata(hub));
}

function requestToken(hub: Hub, failedLogins: FastifyInstance['failedLogins']): RouteOptions {
  const authenticateClient = createClientAuthenticator(hub.db);
  const ttlMs = hub.config.accessTokenTtlMs;
  return {
    method: 'POST',
    url: tokenPath,
    bodyLimit: bodyBytesMax,
    schema: describeToken,
    // RFC 6749 §5.1; errors too say who may have tokens.
    onRequest: async (_request, reply) => {
      reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
    },
    handler: async request => {
      const { credential, scope: asked } = readTokenRequest(
        (request.body as string | undefined) ?? '',
        request.headers.authorization,
      );
      const issuer = readIssuer(hub, request);
      // Before the secret is hashed, which is costly.
      failedLogins.refuseBeyondLimit(request, 'client');
      const client = await authenticateClient(credential, [`${issuer}${tokenPath}`, issuer]).catch(error => {
        if (error instanceof HubError && error.code === 'oauth-client-invalid') failedLogins.count(request, 'client');
        throw error;
      });
      const wanted = { scope: asked, ttlMs, requestId: request.id, certificate: request.clientCertificate };
      const { token, scope } = await hub.db
        .transaction()
        .execute(tx => issueClientToken(tx, hub.identity, client, wanted));
      return { access_token: token, token_type: 'Bearer', expires_in: Math.floor(ttlMs / 1000), scope };
    },
  };
}

function getMetadata(hub: Hub): RouteOptions {
  return {
    method: 'GET',
    url: '/.well-known/oauth-authorization-server',
    schema: describeMetadata,
    handler: async request => {
      const issuer = readIssuer(hub, request);
      return {
        issuer,
        token_endpoint: `${issuer}${tokenPath}`,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        response_types_supported: [],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: authenticationMethods,
        token_endpoint_auth_signing_alg_values_supported: partnerAlgorithms,
        tls_client_certificate_bound_access_tokens: true,
        service_documentation: `${issuer}/docs`,
      };
    },
  };
}

/** PUBLIC_URL. Without it what the client says, so that a first look works; set it before strangers can reach the hub. */
function readIssuer({ config }: Hub, { host, protocol }: FastifyRequest): string {
  if (config.publicUrl) return config.publicUrl;
  if (!/^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host)) {
    throw new HubError('oauth-request-invalid', 'The Host header is not the name of this hub.');
  }
  return `${protocol}://${host}`;
}

const names: Partial<Record<ErrorCode, string>> = {
  'oauth-client-invalid': 'invalid_client',
  'oauth-client-unauthorized': 'unauthorized_client',
  'oauth-grant-type-unsupported': 'unsupported_grant_type',
  'oauth-scope-invalid': 'invalid_scope',
};

// What a TAXII endpoint would say of its own bodies.
const sentences: Partial<Record<ErrorCode, string>> = {
  'body-too-large': `The body is larger than ${bodyBytesMax} bytes.`,
  'content-type-not-supported': `Send the parameters as ${formMediaType}.`,
};

/** RFC 6749 §5.2, and for what it does not foresee at this endpoint the names of §4.1.2.1. */
function toOauthError({ code, status, message }: HubError) {
  const unnamed =
    status === 503 || status === 429 ? 'temporarily_unavailable' : status >= 500 ? 'server_error' : 'invalid_request';
  return { error: names[code] ?? unnamed, error_description: sentences[code] ?? message };
}
