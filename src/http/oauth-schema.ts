import type { FastifySchema } from 'fastify';

/** The media type of token requests (RFC 6749 §4.4.2). */
export const formMediaType = 'application/x-www-form-urlencoded';

const text = (description: string) => ({ type: 'string', description });

const failure = (description: string) => ({
  description,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['error'],
        properties: {
          error: text('RFC 6749 §5.2: invalid_request, invalid_client, invalid_scope, …: branch on it'),
          error_description: text('What is wrong and what to do'),
        },
      },
    },
  },
});

/** What integrators read of POST /oauth2/token. */
export const describeToken = {
  operationId: 'requestToken',
  summary: 'Get a short-lived token',
  description:
    'OAuth 2.0 client credentials (RFC 6749 §4.4), for clients that the operator has registered: with a secret, by ' +
    'Basic or in the body, or with an assertion that the client signs (RFC 7523).',
  tags: ['Authorization'],
  security: [],
  consumes: [formMediaType],
  body: {
    content: {
      [formMediaType]: {
        schema: {
          type: 'object',
          required: ['grant_type'],
          properties: {
            grant_type: { type: 'string', const: 'client_credentials' },
            scope: text(
              'Such as `collection:campaign:read`, several separated by spaces; without it all that you may have',
            ),
            client_id: text('Unless it comes with Basic or in the assertion'),
            client_secret: text('Unless it comes with Basic'),
            client_assertion_type: text('`urn:ietf:params:oauth:client-assertion-type:jwt-bearer`'),
            client_assertion: text(
              'A JWT: iss and sub are the client, aud is this URL; good for 5 minutes at most, once',
            ),
          },
        },
      },
    },
  },
  response: {
    200: {
      description: 'The token',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['access_token', 'token_type', 'expires_in', 'scope'],
            properties: {
              access_token: text('Send it as Bearer'),
              token_type: { type: 'string', const: 'Bearer' },
              expires_in: { type: 'integer', description: 'Seconds' },
              scope: text('What it allows, within the grants of the partner as they are at each request'),
            },
          },
        },
      },
    },
    400: failure('The request, its scope or its grant type is refused'),
    401: failure('The client could not be authenticated'),
    413: failure('The body is too large'),
    415: failure('The body is no form'),
    429: failure('Too many wrong credentials came from this address'),
    503: failure('The hub is busy, or cannot reach its database'),
  },
} as FastifySchema;

/** What integrators read of GET /.well-known/oauth-authorization-server. */
export const describeMetadata = {
  operationId: 'getAuthorizationServer',
  summary: 'Find the token endpoint',
  description: 'OAuth 2.0 authorization server metadata (RFC 8414).',
  tags: ['Authorization'],
  security: [],
  response: {
    200: {
      description: 'The metadata',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['issuer', 'token_endpoint'],
            properties: {
              issuer: text('PUBLIC_URL of the hub'),
              token_endpoint: text('Where tokens are asked for'),
              jwks_uri: text('The keys that sign them'),
            },
          },
        },
      },
    },
  },
} as FastifySchema;
