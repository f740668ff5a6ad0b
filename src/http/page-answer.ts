import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendTaxii } from './media-type.ts';

/** A page as it is to be answered. */
export interface PageAnswer {
  /** the date headers */
  headers: Record<string, string>;
  /** what decides its bytes together with the headers, where that is shorter than they are */
  identity?: unknown;
  /** makes the resource, or its bytes */
  write: () => object;
  /** awaited before it leaves */
  record?: () => Promise<void>;
}

/**
 * Answers with a page and its ETag: 304 where the client has these very bytes (RFC 9110 §13.1.2). Nothing is handed out by a
 * 304, so that nothing is noted: who has the ETag has the page from an answer that was.
 */
export async function answerPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { headers, identity, write, record }: PageAnswer,
): Promise<FastifyReply> {
  const resource = identity === undefined ? JSON.stringify(write()) : undefined;
  const etag = toEtag(resource ?? JSON.stringify([headers, identity]));
  reply.headers(withEtag(headers, etag));
  if (isHeld(request.headers['if-none-match'], etag)) return reply.code(304).send();
  await record?.();
  return sendTaxii(reply, resource ?? write());
}

// What is here belongs to one partner, and may be another page next time.
function withEtag(headers: Record<string, string>, etag: string): Record<string, string> {
  return { ...headers, etag, 'cache-control': 'private, no-cache' };
}

function toEtag(identity: string): string {
  return `"${hash('sha256', identity, 'base64url').slice(0, 27)}"`;
}

/** Whether one of the entity tags is this one, weak or not, or stands for any. */
function isHeld(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some(tag => ['*', etag, `W/${etag}`].includes(tag.trim()));
}
