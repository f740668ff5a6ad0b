import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import Negotiator from 'negotiator';
import { HubError } from '../errors.ts';
import { readBody } from './body.ts';
import { hook } from './hook.ts';

/** The media type of every TAXII response (TAXII 2.1 §1.6.8.1), to the letter: clients compare it. */
export const taxiiMediaType = 'application/taxii+json;version=2.1';

/** The media type of the objects in a collection. */
export const stixMediaType = 'application/stix+json;version=2.1';

/** The media type of Server-Sent Events. */
export const eventStreamMediaType = 'text/event-stream';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** the media type of a route's answers, where it is not TAXII's; errors are TAXII's in any case */
    produces?: string;
  }
}

/**
 * Checks media types before anything else is done: Accept (406) and, where there is a body, Content-Type (415).
 * A request without Accept is served. Content-Type of a request without a body is ignored, since clients send it.
 */
export const mediaType = fp(async app => {
  app.addHook(
    'onRequest',
    hook(request => {
      requireAccept(request.headers.accept, request.routeOptions.config.produces ?? taxiiMediaType);
      if (request.method === 'POST') requireContentType(request);
    }),
  );
  // What a POST may be is checked above; what comes with any other method is of no matter.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', readBody);
});

/**
 * Sends a TAXII resource, or its text or bytes. Text leaves in one piece with the headers, which is cheaper than bytes
 * after them.
 */
export function sendTaxii(reply: FastifyReply, resource: object | string): FastifyReply {
  const isWritten = typeof resource === 'string' || Buffer.isBuffer(resource);
  const body = isWritten ? resource : JSON.stringify(resource);
  // With a serializer of its own, Fastify adds no charset to the media type of text.
  return reply.header('content-type', taxiiMediaType).serializer(asItIs).send(body);
}

const asItIs = (text: string) => text;

// TAXII 2.1 §3.1. A client that asks for TAXII 2.0 alone must see 406: that is how some find out the version.
function requireAccept(accept: string | undefined, produced: string): void {
  if (!accept || (produced === taxiiMediaType && usualAccepts.has(accept))) return;
  // With every parameter that a client may name: it matches whatever of them is left out.
  if (new Negotiator({ headers: { accept } }).mediaTypes([`${produced};charset=utf-8`]).length > 0) return;
  throw new HubError('accept-not-supported', `Send "Accept: ${produced}".`);
}

// What TAXII clients send letter for letter. The negotiator says yes to each, and takes longer for it than all other checks of
// a poll.
const usualAccepts = new Set([taxiiMediaType, 'application/taxii+json; version=2.1', 'application/taxii+json', '*/*']);

function requireContentType(request: FastifyRequest): void {
  const header = request.headers['content-type'] ?? '';
  const [type = '', ...parameters] = header
    .toLowerCase()
    .split(';')
    .map(part => part.trim());
  const version = parameters.find(parameter => parameter.startsWith('version='));
  const isVersionServed = version === undefined || /^version="?2\.1"?$/.test(version);
  if (!['application/taxii+json', 'application/stix+json'].includes(type) || !isVersionServed) {
    throw new HubError('content-type-not-supported', `Send "Content-Type: ${taxiiMediaType}".`);
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new HubError('content-type-not-supported', 'Send the body uncompressed, without Content-Encoding.');
  }
}
