import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { HubError } from '../errors.ts';
import { hook } from './hook.ts';
import { Tally } from './tally.ts';

/**
 * Sheds load before it hurts everybody: 503 with Retry-After while the heap is nearly full, and for bodies beyond
 * bodyBytesInFlightMax, of which one partner can hold a quarter. Register it after authentication: what is counted is read
 * only for partners.
 */
export const limits = fp(async (app, { config }: { config: Config }) => {
  await app.register(underPressure, {
    maxHeapUsedBytes: 0.9 * getHeapStatistics().heap_size_limit,
    pressureHandler: async () => {
      throw new HubError('overloaded', 'The hub is short of memory. Try again shortly.');
    },
  });

  let bytesInFlight = 0;
  const bytesOfPartners = new Tally();
  // Uploads that never end must not shut out other partners.
  const partnerBytesMax = Math.max(config.bodyBytesMax, config.bodyBytesInFlightMax / 4);
  const reserved = new WeakMap<FastifyRequest, number>();

  const count = ({ principal }: FastifyRequest, bytes: number) => {
    bytesInFlight += bytes;
    bytesOfPartners.add(principal.partnerId, bytes);
  };
  const reserve = (request: FastifyRequest, reply: FastifyReply): void => {
    if (request.method !== 'POST') return;
    // Its client hung up before we knew who it is: no hook would ever release what is set aside from now on.
    if (request.raw.destroyed) {
      reply.hijack();
      return;
    }
    // A chunked body does not say how long it is, so the most that it may be is set aside.
    const bytes = Number(request.headers['content-length'] ?? config.bodyBytesMax);
    if (bytes > config.bodyBytesMax) {
      throw new HubError('body-too-large', `Send at most ${config.bodyBytesMax} bytes: several smaller envelopes.`);
    }
    const ofPartner = bytesOfPartners.of(request.principal.partnerId);
    if (bytesInFlight + bytes > config.bodyBytesInFlightMax || ofPartner + bytes > partnerBytesMax) {
      throw new HubError('overloaded', 'The hub is busy with other envelopes. Try again shortly.');
    }
    count(request, bytes);
    reserved.set(request, bytes);
  };
  const release = (request: FastifyRequest) => {
    const bytes = reserved.get(request);
    if (bytes === undefined) return;
    reserved.delete(request);
    count(request, -bytes);
  };
  app.addHook('onRequest', hook(reserve));
  // Not onResponse: an answer whose client has gone meanwhile never ends.
  app.addHook('onSend', (request, _reply, _payload, done) => {
    release(request);
    done();
  });
  app.addHook('onRequestAbort', async request => release(request));
});
