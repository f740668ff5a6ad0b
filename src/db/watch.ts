import { randomUUID } from 'node:crypto';
import { announceChange, type Changes, listenForChanges, readChanges } from './changes.ts';
import type { CollectionRow } from './collections.ts';
import type { Db, PoolOptions } from './pool.ts';
import { Waiters } from './waiters.ts';

// How often to look while somebody asks or waits, and how soon at the earliest after others have announced something.
const lookEveryMs = 100;
const lookAgainMs = 10;
const announceEveryMs = 10;
// After the last request, how long a node goes on looking.
const keepLookingMs = 2000;

export interface WatchOptions {
  /** how stale what is known may be; 0: everything is looked at anew */
  stalenessMsMax: number;
  /** where announcements of other nodes come from; without it, what they do is seen at the next look */
  announcements?: PoolOptions['connection'] | undefined;
}

/**
 * What a node knows of collections and trust without asking the database each time (ARCHITECTURE.md, invariant 13): all
 * that was committed up to stalenessMsMax ago. It may know more, never something that was not committed.
 */
export class Watch {
  readonly #db: Db;
  readonly #stalenessMsMax: number;
  readonly #node = randomUUID();
  readonly #listener: { close(): Promise<void> } | undefined;
  /** those that anybody asked for or that changed: bounded by the collections */
  #collections = new Map<string, CollectionRow>();
  #changes: Pick<Changes, 'horizon' | 'trustRevision'> | undefined;
  #trustChangedAt = performance.now();
  /** when the last look that succeeded began */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #timer: { due: number; timeout: NodeJS.Timeout } | undefined;
  #announcing: NodeJS.Timeout | undefined;
  #isClosed = false;
  #generation = 0;
  readonly #waiters = new Waiters();

  constructor(db: Db, { stalenessMsMax, announcements }: WatchOptions) {
    this.#db = db;
    this.#stalenessMsMax = stalenessMsMax;
    const onAnnounced = (node: string) => {
      if (node !== this.#node) this.#lookWithin(lookAgainMs);
    };
    this.#listener = announcements && listenForChanges(announcements, onAnnounced);
  }

  /**
   * Sees to it that what is known is fresh enough.
   * @returns undefined where it is; else what ends when it is, and fails where the database is away
   */
  fresh(): Promise<void> | undefined {
    const now = performance.now();
    this.#askedAt = now;
    if (now - this.#lookedAt < this.#stalenessMsMax) {
      if (!this.#timer) this.#lookWithin(lookEveryMs);
      return undefined;
    }
    return this.#lookSince(now - this.#stalenessMsMax);
  }

  /** Another text whenever a credential may have lost its worth, or what was known was forgotten. Await `fresh` first. */
  get trust(): string {
    return `${this.#generation} ${this.#changes?.trustRevision}`;
  }

  /** When `trust` became what it is, on the clock of performance.now(). */
  get trustChangedAt(): number {
    return this.#trustChangedAt;
  }

  /** What is known of a collection. undefined: nothing yet. Await `fresh` first. */
  collection(id: string): CollectionRow | undefined {
    return this.#collections.get(id);
  }

  /** Another number whenever what was known was forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Waits until what is known of a collection may be something else than this row, and no longer than msMax. Meanwhile the
   * node goes on looking. A look that fails ends no wait; the first one that succeeds after it ends all.
   */
  async changed({ id, revision }: CollectionRow, until: { signal: AbortSignal; msMax: number }): Promise<void> {
    const isKnown = this.#collections.get(id)?.revision === revision;
    if (until.signal.aborted || (this.#hasLooked && !isKnown)) return;
    const changed = this.#waiters.wait(id, until);
    if (!this.#timer) this.#lookWithin(lookEveryMs);
    await changed;
  }

  /** Takes a row that a statement has read. @param generation as it was, after `fresh`, when the statement began */
  learn(row: CollectionRow, generation: number): void {
    if (generation === this.#generation) this.#takeRow(row);
  }

  /** Takes a row as a transaction of this node has left it, once that is committed, and tells the other nodes. */
  committed(row: CollectionRow): void {
    // One that nobody asked for is read when it is asked for.
    if (this.#collections.has(row.id)) this.#takeRow(row);
    this.#announcing ??= setTimeout(() => {
      this.#announcing = undefined;
      // Whoever misses it looks a little later.
      announceChange(this.#db, this.#node).catch(() => undefined);
    }, announceEveryMs).unref();
  }

  /** Ends all looking, before the database is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopTimer();
    clearTimeout(this.#announcing);
    await Promise.all([this.#looking?.catch(() => undefined), this.#listener?.close()]);
  }

  /** Ends when a look has ended that began at that time or later. */
  async #lookSince(startMs: number): Promise<void> {
    while (this.#lookedAt <= startMs) await (this.#looking ?? this.#look());
  }

  #look(): Promise<void> {
    this.#stopTimer();
    const begunAt = performance.now();
    this.#looking = readChanges(this.#db, this.#changes?.horizon)
      .then(changes => this.#take(changes, begunAt))
      .catch(error => {
        this.#forget();
        throw error;
      })
      .finally(() => {
        this.#looking = undefined;
        this.#lookWithin(lookEveryMs - (performance.now() - begunAt));
      });
    return this.#looking;
  }

  #take(changes: Changes, begunAt: number): void {
    if (this.#changes?.trustRevision !== changes.trustRevision) this.#trustChangedAt = performance.now();
    const isFirst = !this.#hasLooked;
    this.#changes = changes;
    this.#lookedAt = begunAt;
    for (const row of changes.collections) this.#takeRow(row);
    if (isFirst) this.#waiters.wakeAll();
  }

  /** since what was known was forgotten */
  get #hasLooked(): boolean {
    return this.#lookedAt > Number.NEGATIVE_INFINITY;
  }

  #takeRow(row: CollectionRow): void {
    const known = this.#collections.get(row.id);
    if (known && Number(known.revision) >= Number(row.revision)) return;
    this.#collections.set(row.id, row);
    this.#waiters.wake(row.id);
  }

  // The database may be another one when it is there again, in which the same numbers stand for something else.
  #forget(): void {
    this.#generation += 1;
    this.#collections = new Map();
    this.#changes = undefined;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** While anybody asks or waits: looks after so long at the latest. */
  #lookWithin(delayMs: number): void {
    const now = performance.now();
    const due = now + Math.max(0, delayMs);
    const isAsked = now - this.#askedAt < keepLookingMs || this.#waiters.isAny;
    if (this.#isClosed || !isAsked || (this.#timer && this.#timer.due <= due)) return;
    this.#stopTimer();
    const look = async () => {
      this.#timer = undefined;
      // One that is under way may have begun too early. What goes wrong is told to whoever asks next.
      await this.#looking?.catch(() => undefined);
      if (!this.#looking && !this.#isClosed) await this.#look().catch(() => undefined);
    };
    this.#timer = { due, timeout: setTimeout(look, due - now).unref() };
  }

  #stopTimer(): void {
    clearTimeout(this.#timer?.timeout);
    this.#timer = undefined;
  }
}
