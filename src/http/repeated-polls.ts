import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Principal } from '../auth/principal.ts';
import type { CollectionRow } from '../db/collections.ts';
import type { Hub } from '../hub.ts';
import { hook } from './hook.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** whether its answer says nothing but what stands in the request and in the collection's row */
    isRepeatable: boolean;
  }
}

/** The last poll of a connection, its answer, and what decided that beside the connection. */
interface Poll {
  url: string;
  rawHeaders: string[];
  /** who it was, which is remembered no longer than trust stays the same */
  principal: Principal;
  /** what was known of the collection: another object as soon as anything of it has changed, grants too */
  row: CollectionRow;
  head: string[];
  text: string;
}

// Of the request; a longer one is no usual poll.
const charactersMax = 8000;

/**
 * Most of what a hub is asked is what the same client was told a minute ago: nothing new. Such a poll is answered as before
 * where all that decided the answer is still the same (ARCHITECTURE.md, invariant 15), and passes none of the hooks after
 * this one, so that it is to be the first.
 */
export const repeatedPolls = fp(async (app, { hub }: { hub: Hub }) => {
  const polls = new WeakMap<object, Poll>();
  let isKeeping = hub.config.pageCacheBytes > 0;
  app.addHook('preClose', async () => {
    isKeeping = false;
  });

  app.decorateRequest('isRepeatable', false);
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.isRepeatable && isKeeping) keep(request, reply, payload);
    done();
  });
  const keep = (request: FastifyRequest, reply: FastifyReply, text: unknown): void => {
    const { raw, headers, method, principal, collection, generation } = request;
    const row = hub.watch.collection(collection.id);
    const isKnown = row?.revision === collection.revision && generation === hub.watch.generation;
    const isUsual = method === 'GET' && headers.prefer === undefined && countCharacters(raw) <= charactersMax;
    if (!row || !isKnown || !isUsual || typeof text !== 'string' || reply.statusCode !== 200) return;
    const sent = Object.entries({ ...reply.getHeaders(), 'content-length': Buffer.byteLength(text) });
    const head = sent.flatMap(([name, value]) => (name === 'x-request-id' ? [] : [name, String(value)]));
    polls.set(raw.socket, { url: request.url, rawHeaders: raw.rawHeaders, principal, row, head, text });
  };

  const holds = ({ principal, row }: Poll, request: FastifyRequest): boolean =>
    isKeeping && app.recall(request) === principal && hub.watch.collection(row.id) === row;
  app.addHook(
    'onRequest',
    hook((request, reply) => {
      const { raw } = request;
      const poll = polls.get(raw.socket);
      if (!poll || !isSame(poll, raw) || !holds(poll, request)) return undefined;
      request.principal = poll.principal;
      const pausing = app.pace(request, reply);
      if (pausing || reply.sent) return pausing;
      app.stopPacing(request);
      reply.hijack();
      // As a list, headers cost Fastify and node:http far less than as an object.
      reply.raw.writeHead(200, ['x-request-id', request.id, ...poll.head]);
      reply.raw.end(poll.text);
      return undefined;
    }),
  );
});

function isSame({ url, rawHeaders }: Poll, request: IncomingMessage): boolean {
  if (request.method !== 'GET' || request.url !== url || request.rawHeaders.length !== rawHeaders.length) return false;
  return request.rawHeaders.every((part, index) => part === rawHeaders[index]);
}

function countCharacters({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((count, part) => count + part.length, url.length);
}
