import fp from 'fastify-plugin';
import { HubError } from '../errors.ts';
import { bundleSchema } from '../stix/schemas.ts';

/** The JSON Schemas that objects are judged by, so that a partner can check before sending. No credential needed. */
export const stixSchemas = fp(async app => {
  app.route({
    method: 'GET',
    url: '/schemas/stix/2.1/:file',
    schema: {
      operationId: 'getStixSchema',
      summary: 'A JSON Schema that objects are judged by',
      description:
        'JSON Schema 2020-12 of one STIX 2.1 object type, such as `indicator.json`, complete in itself. What no schema ' +
        'can say, such as that valid_until is later than valid_from, the hub judges in code.',
      tags: ['Validation'],
      security: [],
      params: { type: 'object', properties: { file: { type: 'string', description: 'Object type and `.json`' } } },
      response: {
        200: { description: 'The schema', content: { 'application/schema+json': { schema: { type: 'object' } } } },
      },
    },
    handler: async (request, reply) => {
      const { file } = request.params as { file: string };
      const schema = bundleSchema(file.replace(/\.json$/, ''));
      if (!schema) throw new HubError('path-not-found', 'There is no schema of that name: try indicator.json.');
      return reply.type('application/schema+json').header('cache-control', 'public, max-age=3600').send(schema);
    },
  });
});
