import type { FastifyBaseLogger } from 'fastify';
import type { Db } from '../db/pool.ts';
import { addRequestCounts, type RequestCount } from '../db/request-counts.ts';

const windowMs = 60_000;
const exchangeMs = 250;

interface Count {
  /** of all nodes, as far as it is known */
  sum: number;
  /** of this node, and not yet in the sum */
  unsent: number;
}

/**
 * Counts requests by partner and minute of the clock, over all nodes. Each node counts by itself and, while there is
 * traffic, adds its counts to the database a few times a second and learns the sums. So a limit may be passed by what the
 * nodes take between two exchanges, and no more. While the database is away, each node goes on with its own counts. The
 * clocks of the nodes should agree to the second.
 */
export class SharedCounts {
  readonly #db: Db;
  readonly #log: FastifyBaseLogger;
  /** of the current minute: bounded by the partners */
  #counts = new Map<string, Count>();
  #minute = 0;
  #timer: NodeJS.Timeout | undefined;
  #exchange: Promise<void> | undefined;
  #isAlone = false;

  constructor(db: Db, log: FastifyBaseLogger) {
    this.#db = db;
    this.#log = log;
  }

  /** Counts a request. @returns what the partner has sent in this minute, and the milliseconds left of it */
  add(partnerId: string): { current: number; leftMs: number } {
    const nowMs = Date.now();
    const minute = Math.floor(nowMs / windowMs);
    if (minute !== this.#minute) {
      this.#counts = new Map();
      this.#minute = minute;
    }
    const count = this.#counts.get(partnerId) ?? { sum: 0, unsent: 0 };
    count.unsent += 1;
    this.#counts.set(partnerId, count);
    this.#schedule();
    return { current: count.sum + count.unsent, leftMs: (minute + 1) * windowMs - nowMs };
  }

  /** Ends the exchanges, before the database is closed. */
  async close(): Promise<void> {
    await this.#exchange;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#exchange = this.#share();
    }, exchangeMs).unref();
  }

  async #share(): Promise<void> {
    const counts = this.#counts;
    const sent = listUnsent(counts);
    try {
      const sums = await addRequestCounts(this.#db, this.#minute, sent);
      for (const { partnerId, requests } of sent) (counts.get(partnerId) as Count).unsent -= requests;
      for (const { partnerId, requests } of sums) (counts.get(partnerId) as Count).sum = requests;
      this.#isAlone = false;
    } catch (error) {
      if (!this.#isAlone)
        this.#log.warn({ cause: (error as Error).message }, 'this node counts requests alone for now');
      this.#isAlone = true;
    }
    this.#timer = undefined;
    // Without more traffic, another node would not hear of what came meanwhile.
    if (!this.#isAlone && listUnsent(this.#counts).length > 0) this.#schedule();
  }
}

function listUnsent(counts: Map<string, Count>): RequestCount[] {
  return [...counts].flatMap(([partnerId, { unsent }]) => (unsent > 0 ? [{ partnerId, requests: unsent }] : []));
}
