import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { sendText, type TextAnswer } from '../http/page-answer.ts';

interface Kept {
  collectionId: string;
  /** of the collection; another one where anything of it has changed */
  revision: string;
  /** of the watch: revisions of another one are not to be compared */
  generation: number;
  answer: TextAnswer;
}

// About 2 KB each; with a longer URL it is no usual poll.
const keptMax = 5000;
const urlLengthMax = 500;

/**
 * Keeps the answers to polls that ask for what was added after the newest date of a collection. They say nothing but what
 * stands in the URL and in the collection's row, and so are the same for all who may read there, as long as that row is
 * (ARCHITECTURE.md, invariant 14). Most of what a hub is asked is one of them.
 */
export class EmptyPolls {
  readonly #kept = new LRUCache<string, Kept>({ max: keptMax });
  readonly #isKeeping: boolean;

  /** @param isKeeping false: every poll is answered anew */
  constructor(isKeeping: boolean) {
    this.#isKeeping = isKeeping;
  }

  /** @param request one that was answered with this, since no object can be later than what it asked for */
  keep({ url, collection, generation }: FastifyRequest, answer: TextAnswer): void {
    if (!this.#isKeeping || url.length > urlLengthMax) return;
    this.#kept.set(url, { collectionId: collection.id, revision: collection.revision, generation, answer });
  }

  /** Answers at once where it can. To be asked when access is decided. */
  answer(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const kept = this.#kept.get(request.url);
    const { collection, generation, method, headers } = request;
    if (kept === undefined || kept.collectionId !== collection.id || kept.revision !== collection.revision) return;
    // Who would rather wait is not to be answered yet.
    if (kept.generation !== generation || method !== 'GET' || headers.prefer !== undefined) return;
    return sendText(request, reply, kept.answer);
  }
}
