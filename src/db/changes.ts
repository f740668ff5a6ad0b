import { sql } from 'kysely';
import pg from 'pg';
import { type CollectionRow, collectionColumns } from './collections.ts';
import { type Db, type PoolOptions, toClientConfig } from './pool.ts';

/** What has changed since an earlier look. */
export interface Changes {
  /** for the next look: transactions that this one did not see have this id or a later one */
  horizon: string;
  /** rises when a credential may have lost its worth */
  trustRevision: string;
  /** those that have changed, some of them perhaps known already */
  collections: CollectionRow[];
}

/**
 * Reads what has changed: all that was committed before the statement began, and was not seen from the snapshot that the
 * horizon is of. Whatever changes a collection's row leaves the id of its transaction there (migrations/0011_revisions.sql).
 * @param horizon undefined: where to start from, and no collections
 */
export async function readChanges(db: Db, horizon: string | undefined): Promise<Changes> {
  const { rows } = await sql<Omit<Changes, 'collections'> & (CollectionRow | { id: null })>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, trust_revision as "trustRevision", ${columns}
    from hub left join collection on changed_by >= ${horizon ?? null}::xid8`.execute(db);
  const [first] = rows;
  if (!first) throw new Error('the database has no hub');
  return {
    horizon: first.horizon,
    trustRevision: first.trustRevision,
    collections: rows.filter((row): row is typeof row & CollectionRow => row.id !== null),
  };
}

const columns = sql.raw(collectionColumns.map(column => `collection.${column}`).join(', '));
const channel = 'taxiway';

/** Tells the other nodes that there is something to look at. Does not wait for the disk. @param node who tells */
export async function announceChange(db: Db, node: string): Promise<void> {
  await sql`select set_config('synchronous_commit', 'off', true), pg_notify(${channel}, ${node})`.execute(db);
}

/**
 * Listens for what other nodes announce, over a connection of its own, which is opened again where it is lost.
 * @param onAnnounced gets who tells; called once more whenever the connection is there again
 */
export function listenForChanges(
  connection: PoolOptions['connection'],
  onAnnounced: (node: string) => void,
): { close(): Promise<void> } {
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  const open = () => {
    const opened = new pg.Client(toClientConfig(connection));
    client = opened;
    const reopen = () => {
      if (client !== opened || isClosed) return;
      client = undefined;
      opened.end().catch(() => undefined);
      retry = setTimeout(open, retryMs).unref();
    };
    opened.on('error', reopen).on('end', reopen);
    opened.on('notification', ({ payload }) => onAnnounced(payload ?? ''));
    opened
      .connect()
      .then(() => opened.query(`listen ${channel}`))
      .then(() => onAnnounced(''))
      .catch(reopen);
  };
  open();
  return {
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}

const retryMs = 1000;
