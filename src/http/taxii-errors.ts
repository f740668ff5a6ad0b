import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { asUnavailable } from '../db/pool.ts';
import { type ErrorCode, errorCatalogue, HubError } from '../errors.ts';
import { hook } from './hook.ts';
import { sendTaxii, taxiiMediaType } from './media-type.ts';

/** Turns whatever is thrown into a TAXII error resource (TAXII 2.1 §3.6.1), in this one place. */
export const taxiiErrors = fp(async app => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const hubError = toHubError(error);
    logFailure(request, hubError);
    return sendError(request, reply, hubError);
  });
  // Node would answer these two by itself, with nothing in it: buildApp turns off its check of Host, and an expectation
  // that we do not know is passed over, as RFC 9110 §10.1.1 allows.
  app.addHook(
    'onRequest',
    hook(request => {
      // Before a body is read that nobody will look at.
      if (request.is404) throw pathNotFound();
      if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
        throw new HubError('request-malformed', 'HTTP/1.1 demands a Host header.');
      }
    }),
  );
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  app.setNotFoundHandler((request, reply) => sendError(request, reply, pathNotFound()));
});

function pathNotFound(): HubError {
  return new HubError('path-not-found', 'Discovery is at /taxii2/, the documentation at /docs.');
}

// What is overloaded or away for a while is a warning; only what should never happen needs a stack. Why a credential is
// refused, the client is not told in full.
export function logFailure(request: FastifyRequest, { status, code, message, cause }: HubError): void {
  if (status === 503) request.log.warn({ code, cause: cause instanceof Error ? cause.message : undefined }, message);
  else if (status >= 500) request.log.error({ err: cause }, message);
  else if (status === 401 && cause instanceof Error) request.log.info({ code, cause: cause.message }, message);
}

/** Writes the answer; also for Fastify's own errors that pass by the error handler. */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: HubError): FastifyReply {
  reply.code(error.status);
  if (error.status === 401) {
    // RFC 9110 §11.6.1 allows several challenges; §8.2.2 of TAXII 2.1 wants Basic.
    reply.header('www-authenticate', ['Bearer realm="taxiway"', 'Basic realm="taxiway", charset="UTF-8"']);
  }
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
  return sendTaxii(reply, toResource(error, request.id));
}

/** Answers what Node could not read as HTTP at all: a broken request line, headers that are too long, a time-out. */
export function answerBrokenRequest(this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [line, hubError] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', new HubError('headers-too-large', 'Shorten the URL and the headers.')]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', new HubError('request-timeout', 'The request did not arrive in time.')]
        : ['400 Bad Request', new HubError('request-malformed', 'The request is not well-formed HTTP.')];
  const errorId = randomUUID();
  this.log.info({ reqId: errorId, code: error.code }, hubError.message);
  const body = JSON.stringify(toResource(hubError, errorId));
  const headers = `content-type: ${taxiiMediaType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${body}`);
}

function toResource(error: HubError, errorId: string) {
  return {
    title: errorCatalogue[error.code].title,
    description: error.message,
    error_id: errorId,
    error_code: error.code,
    http_status: String(error.status),
    ...(error.details && { details: error.details }),
  };
}

const codesOfFastify: Record<string, [ErrorCode, string]> = {
  FST_ERR_BAD_URL: ['request-malformed', 'The URL is not well formed: check its percent escapes.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'Send the objects in several envelopes within max_content_length.'],
  FST_ERR_CTP_EMPTY_TYPE: ['content-type-not-supported', 'The request has no Content-Type.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['request-malformed', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['content-type-not-supported', 'The Content-Type is not accepted here.'],
  FST_ERR_MAX_PARAM_LENGTH: ['path-not-found', 'A part of the path is longer than any name that the hub knows.'],
};

/** What to answer for any error. What is not known is an internal error that says nothing of its cause. */
export function toHubError(error: FastifyError | HubError): HubError {
  if (error instanceof HubError) return error;
  const known = codesOfFastify[error.code];
  if (known) return new HubError(known[0], known[1]);
  const unavailable = asUnavailable(error);
  if (unavailable) return unavailable;
  if (error.statusCode && error.statusCode >= 400 && error.statusCode < 500) {
    return new HubError('request-malformed', 'The request could not be understood.', { cause: error });
  }
  return new HubError('internal-error', 'The failure was logged under the error_id; tell it to the operator.', {
    cause: error,
  });
}
