import { readFileSync } from 'node:fs';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { resourceSchemaId, resourceSchemaPath } from '../taxii/routes/route-schema.ts';

const resources = [
  'discovery',
  'api-root',
  'collection',
  'collections',
  'envelope',
  'manifest',
  'versions',
  'status',
  'error',
  'me',
  'provenance',
  'deliveries',
];

// Everything comes from the hub itself, over whatever scheme it is served.
const pagePolicy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** OpenAPI 3.1 made from the routes that follow: /openapi.json, and /docs, which needs nothing from the internet. */
export const openapi = fp(async (app, { config }: { config: Config }) => {
  for (const resource of resources) app.addSchema(readResourceSchema(resource));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Taxiway',
        version,
        description:
          'A TAXII 2.1 hub: partners push STIX 2.1 objects, SIEMs poll them. Authorize with the token that the ' +
          'operator gave you. Answers are `application/taxii+json;version=2.1`, but for streams; every error says what to do.',
      },
      servers: [{ url: config.publicUrl || '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          basic: {
            type: 'http',
            scheme: 'basic',
            description: 'The partner (or nothing) as user, the token as password',
          },
          oauth2: {
            type: 'oauth2',
            flows: {
              clientCredentials: {
                tokenUrl: `${config.publicUrl}/oauth2/token`,
                scopes: {
                  'collection:*:read': 'Read all collections that you have been granted; instead of * also an alias',
                  'collection:*:write': 'Add objects to all of them; with read, delete your own',
                },
              },
            },
          },
        },
      },
      security: [{ bearer: [] }, { basic: [] }, { oauth2: [] }],
      tags: [
        { name: 'Server information' },
        { name: 'Collections' },
        { name: 'Objects' },
        { name: 'Validation' },
        { name: 'Authorization' },
      ],
    },
    refResolver: { buildLocalReference: json => String(json.$id).replace(/^.*\/|\.json$/g, '') },
  });
  await app.register(async docs => {
    await docs.register(helmet, { contentSecurityPolicy: false, hsts: false, frameguard: false });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { layout: 'BaseLayout', validatorUrl: null, persistAuthorization: true },
      theme: { title: 'Taxiway' },
      staticCSP: pagePolicy,
    });
  });
  app.get('/openapi.json', { schema: { hide: true }, exposeHeadRoute: true }, async (_request, reply) =>
    reply.type('application/json').send(app.swagger()),
  );
});

/** The JSON Schema of a resource. */
function readResourceSchema(resource: string): Parameters<FastifyInstance['addSchema']>[0] {
  const file = new URL(`../../${resourceSchemaPath(resource)}`, import.meta.url);
  const schema = JSON.parse(readFileSync(file, 'utf8'));
  if (schema.$id !== resourceSchemaId(resource)) throw new Error(`${resource}.json has a wrong $id`);
  return schema;
}
