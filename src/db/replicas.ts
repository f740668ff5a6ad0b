import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { TaxiiTimestamp } from '../taxii/timestamp.ts';
import type { CollectionRow } from './collections.ts';
import { type Db, openDatabase } from './pool.ts';
import type { Watch } from './watch.ts';

// How often nodes ask where the standbys stand, and for how long that counts.
const lookEveryMs = 1000;
const lookCountsMs = 3000;
// After the last read, how long a node goes on asking.
const keepLookingMs = 10_000;
// A standby that takes longer is as good as down.
const answerMsMax = 2000;
const pageMsMax = 10_000;

export interface ReplicaOptions {
  /** each names one standby, and not what chooses among several */
  urls: string[];
  connectionsMax: number;
  /** as in PoolOptions */
  isPooled?: boolean;
  /** how far behind the primary a standby may be */
  lagMsMax: number;
  /** told in a sentence when a standby is left out or taken in */
  log: (message: string) => void;
}

/** What a request knows of its collection. */
export type KnownCollection = Pick<CollectionRow, 'id' | 'revision' | 'past_revision' | 'grants_revision'>;

interface Replica {
  name: string;
  db: Db;
  isUsable: boolean;
}

/** Where a server stands. */
interface Position {
  isStandby: boolean;
  /** the database cluster and its timeline: positions of others are not to be compared */
  lineage: string;
  /** what was written, or on a standby replayed, in bytes of the log */
  position: number;
}

/**
 * The hot standbys that pages are read from. A standby holds what the primary held a moment ago: it is asked where it has
 * all that the page depends on (ARCHITECTURE.md, "Standbys").
 */
export class Replicas {
  readonly #primary: Db;
  readonly #watch: Pick<Watch, 'generation'>;
  readonly #options: ReplicaOptions;
  readonly #replicas: Replica[];
  /** of the primary, the oldest one first: one that is lagMsMax old, and younger ones */
  #positions: (Position & { at: number })[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** of the watch when the primary said where it stands: another one may answer since */
  #generation = -1;
  #looking: Promise<void> | undefined;
  #closing = new AbortController();
  #turn = 0;

  constructor(primary: Db, watch: Pick<Watch, 'generation'>, options: ReplicaOptions) {
    this.#primary = primary;
    this.#watch = watch;
    this.#options = options;
    this.#replicas = options.urls.map(url => ({
      name: new URL(url).host,
      // What is wrong is told by the next look.
      db: openDatabase({
        connection: { connectionString: url },
        connectionsMax: options.connectionsMax,
        isPooled: options.isPooled ?? false,
        onError: () => undefined,
      }),
      isUsable: false,
    }));
  }

  /**
   * Reads a page from a standby that is near enough to the primary, else from the primary. Either gives the same page.
   * @param collection as the request was authorised with
   * @param fetch reads a page up to the date_added_last of that collection
   */
  async read<Found extends { more: boolean }>(
    collection: KnownCollection,
    { after }: { after: TaxiiTimestamp },
    fetch: (db: Db) => Promise<Found>,
  ): Promise<Found> {
    const replica = this.#choose();
    const found = replica && (await this.#readFrom(replica, collection, after, fetch));
    return found ?? fetch(this.#primary);
  }

  /** @returns undefined where the standby cannot tell */
  async #readFrom<Found extends { more: boolean }>(
    replica: Replica,
    collection: KnownCollection,
    after: TaxiiTimestamp,
    fetch: (db: Db) => Promise<Found>,
  ): Promise<Found | undefined> {
    try {
      // What the page is read from is no older: a standby does not go back.
      const held = await within(answerMsMax, readHeld(replica.db, collection.id));
      const past = Math.max(Number(collection.past_revision), Number(collection.grants_revision));
      if (!held || held.revision < past) return undefined;
      const isComplete = held.revision >= Number(collection.revision);
      if (!isComplete && held.date_added_last <= after) return undefined;
      const found = await within(pageMsMax, fetch(replica.db));
      // What it lacks was added after all that it holds, and so after a full page.
      return isComplete || found.more ? found : undefined;
    } catch (error) {
      this.#note(replica, (error as Error).message);
      return undefined;
    }
  }

  /** Ends all looking and the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking;
    // One that does not answer must not hold up the end.
    await Promise.all(this.#replicas.map(({ db }) => within(answerMsMax, db.destroy()).catch(() => undefined)));
  }

  #choose(): Replica | undefined {
    if (this.#replicas.length === 0) return undefined;
    this.#askedAt = performance.now();
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = undefined;
    });
    if (this.#askedAt - this.#lookedAt > lookCountsMs || this.#generation !== this.#watch.generation) return undefined;
    const usable = this.#replicas.filter(({ isUsable }) => isUsable);
    this.#turn += 1;
    return usable[this.#turn % usable.length];
  }

  async #lookWhileAsked(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && performance.now() - this.#askedAt < keepLookingMs) {
      await this.#look();
      await sleep(lookEveryMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { generation } = this.#watch;
    const at = performance.now();
    // While the primary is away, nobody can tell how far behind it a standby is, nor get a page noted.
    const primary = await within(answerMsMax, readPosition(this.#primary)).catch(() => undefined);
    if (!primary || primary.isStandby) return;
    if (primary.lineage !== this.#positions[0]?.lineage) this.#positions = [];
    this.#positions.push({ ...primary, at });
    while (this.#positions[1] && at - this.#positions[1].at >= this.#options.lagMsMax) this.#positions.shift();
    await Promise.all(this.#replicas.map(replica => this.#judge(replica, primary.lineage)));
    this.#lookedAt = at;
    this.#generation = generation;
  }

  async #judge(replica: Replica, lineage: string): Promise<void> {
    const needed = (this.#positions[0] as Position).position;
    try {
      const standby = await within(answerMsMax, readPosition(replica.db));
      if (!standby.isStandby) return this.#note(replica, 'it is no standby');
      if (standby.lineage !== lineage) return this.#note(replica, 'it does not follow the primary');
      if (standby.position < needed) return this.#note(replica, 'it is too far behind');
      this.#note(replica, undefined);
    } catch (error) {
      this.#note(replica, (error as Error).message);
    }
  }

  /** @param obstacle why it is left out; undefined: it is not */
  #note(replica: Replica, obstacle: string | undefined): void {
    const isUsable = obstacle === undefined;
    if (isUsable === replica.isUsable) return;
    replica.isUsable = isUsable;
    const change = isUsable ? 'takes part in reading' : `is left out of reading: ${obstacle}`;
    this.#options.log(`The standby ${replica.name} ${change}.`);
  }
}

interface Held {
  revision: number;
  date_added_last: TaxiiTimestamp;
}

async function readHeld(db: Db, collectionId: string): Promise<Held | undefined> {
  const { rows } = await sql<Held>`
    select revision::float8 as revision, date_added_last from collection where id = ${collectionId}`.execute(db);
  return rows[0];
}

// A standby knows its timeline by what it has noted in its control file; it may know of a new one a little late.
async function readPosition(db: Db): Promise<Position> {
  const { rows } = await sql<Position>`
    select is_standby as "isStandby",
      system_identifier || '/' || case when is_standby then greatest(timeline_id, min_recovery_end_timeline)
        else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as lineage,
      (case when is_standby then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0')::float8 as position
    from pg_is_in_recovery() as is_standby, pg_control_system(), pg_control_checkpoint(), pg_control_recovery()`.execute(
    db,
  );
  return rows[0] as Position;
}

/** @throws Error where it takes longer */
async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timeout));
}
