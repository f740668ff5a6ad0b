import { randomUUID } from 'node:crypto';
import type { CollectionRow } from '../db/collections.ts';
import { inPipeline } from '../db/pipeline.ts';
import { asUnavailable, type Db } from '../db/pool.ts';
import { keepStatuses, type NewStatus } from '../db/statuses.ts';
import type { Watch } from '../db/watch.ts';
import { HubError } from '../errors.ts';
import { admit, type JudgedEnvelope } from './admission.ts';
import { isCandidate } from './judging.ts';
import { type Status, toStatus } from './status.ts';
import type { TaxiiTimestamp } from './timestamp.ts';

/** An envelope that is to be written, and for whom its status is kept. */
export interface SentEnvelope extends JudgedEnvelope {
  apiRoot: string;
  receivedAt: TaxiiTimestamp;
}

/** Writes the envelopes of one node: those that wait for the same collection share a transaction. */
export interface Writers {
  /**
   * Waits for the envelope's turn and writes it, as if it came alone.
   * @param isAbandoned asked when its turn comes: whether its client has hung up meanwhile. Then nothing of it is written
   * @returns its status, once it is committed; of an envelope without a success none is kept. undefined where it is abandoned
   * @throws HubError overloaded where too many wait, or it has waited for too long; database-unavailable
   */
  write(collectionId: string, envelope: SentEnvelope, isAbandoned: () => boolean): Promise<Status | undefined>;
}

interface Waiting {
  envelope: SentEnvelope;
  bytes: number;
  since: number;
  isAbandoned: () => boolean;
  resolve: (status: Status | undefined) => void;
  reject: (error: unknown) => void;
}

// What one transaction takes, unless its first envelope is larger. Sharing helps small envelopes alone: were large ones written
// together, their senders would have their answers together, and nothing would be judged while PostgreSQL writes.
const batchMax = { envelopes: 250, objects: 1000, bytes: 8 * 1024 * 1024 };
// What may wait meanwhile, of one collection.
const waitingMax = 1000;
// As long as PostgreSQL would have them wait for the collection's lock.
const waitMsMax = 20_000;

/**
 * Writers on a database, which tell the watch what they have committed. One for each node: what waits on others meets at the
 * collection's lock.
 */
export function createWriters(db: Db, watch: Watch): Writers {
  const queues = new Map<string, Waiting[]>();

  const work = async (collectionId: string, queue: Waiting[]) => {
    while (queue.length > 0) await writeAll({ db, watch }, collectionId, takeBatch(queue));
    queues.delete(collectionId);
  };
  return {
    write: (collectionId, envelope, isAbandoned) =>
      new Promise((resolve, reject) => {
        const bytes = envelope.judged.reduce((sum, one) => sum + (isCandidate(one) ? one.bytes.length : 0), 0);
        const one = { envelope, bytes, since: performance.now(), isAbandoned, resolve, reject };
        const queue = queues.get(collectionId);
        if (queue === undefined) {
          const started = [one];
          queues.set(collectionId, started);
          void work(collectionId, started);
        } else if (queue.length < waitingMax) queue.push(one);
        else reject(new HubError('overloaded', 'Too many envelopes wait for this collection. Try again shortly.'));
      }),
  };
}

/** Takes what has waited longest, and at least one. */
function takeBatch(queue: Waiting[]): Waiting[] {
  const taken = { envelopes: 0, objects: 0, bytes: 0 };
  for (const { envelope, bytes } of queue) {
    taken.objects += envelope.judged.length;
    taken.bytes += bytes;
    if (taken.envelopes > 0 && (taken.objects > batchMax.objects || taken.bytes > batchMax.bytes)) break;
    taken.envelopes += 1;
    if (taken.envelopes === batchMax.envelopes) break;
  }
  return queue.splice(0, taken.envelopes);
}

/** Writes envelopes in one transaction, or one by one where PostgreSQL refuses what one of them brings. Never throws. */
async function writeAll(hub: { db: Db; watch: Watch }, collectionId: string, batch: Waiting[]): Promise<void> {
  const present = batch.filter(isStillWanted);
  if (present.length === 0) return;
  try {
    const envelopes = present.map(({ envelope }) => envelope);
    const { statuses, collection } = await writeEnvelopes(hub.db, collectionId, envelopes);
    hub.watch.committed(collection);
    present.forEach((one, index) => void one.resolve(statuses[index]));
  } catch (error) {
    if (present.length === 1 || asUnavailable(error)) for (const one of present) one.reject(error);
    else for (const one of present) await writeAll(hub, collectionId, [one]);
  }
}

function isStillWanted({ isAbandoned, since, resolve, reject }: Waiting): boolean {
  if (isAbandoned()) {
    resolve(undefined);
    return false;
  }
  if (performance.now() - since <= waitMsMax) return true;
  reject(new HubError('overloaded', 'The hub is busy with this collection. Try again shortly.'));
  return false;
}

/** @returns when all of it is committed: the statuses, and the collection as it is then */
function writeEnvelopes(
  db: Db,
  collectionId: string,
  envelopes: SentEnvelope[],
): Promise<{ statuses: Status[]; collection: CollectionRow }> {
  return inPipeline(db, async tx => {
    const statuses: Status[] = [];
    const { collection } = await admit(tx, collectionId, envelopes, async outcomes => {
      for (const [index, { receivedAt }] of envelopes.entries()) {
        statuses.push(await toStatus(randomUUID(), receivedAt, outcomes[index] ?? []));
      }
      const rows = envelopes.flatMap((envelope, index) => toRow(envelope, statuses[index] as Status));
      return rows.length > 0 ? { kept: keepStatuses(rows) } : {};
    });
    return { statuses, collection };
  });
}

// Of an envelope of which nothing was taken the answer says why, and no status is kept.
function toRow({ apiRoot: api_root, sender }: SentEnvelope, { id, resource, successCount }: Status): NewStatus[] {
  return successCount === 0 ? [] : [{ id, api_root, partner_id: sender.partnerId, resource }];
}
