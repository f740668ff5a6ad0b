import { type HubIdentity, loadIdentity } from './auth/hub-identity.ts';
import type { Config } from './config.ts';
import type { Db, PoolOptions } from './db/pool.ts';
import { Replicas } from './db/replicas.ts';
import { Watch } from './db/watch.ts';
import { createValidator, type Validator } from './stix/validate.ts';
import { cachePages, type ReadObjects } from './taxii/page-cache.ts';
import { createReceipts, type Receipts } from './taxii/receipts.ts';
import { createWriters, type Writers } from './taxii/writers.ts';

/** What routes and commands work with. Holds no state that matters: any number of nodes may share one database. */
export interface Hub {
  config: Config;
  db: Db;
  identity: HubIdentity;
  validator: Validator;
  replicas: Replicas;
  readObjects: ReadObjects;
  receipts: Receipts;
  watch: Watch;
  writers: Writers;
}

export interface HubOptions {
  announcements?: PoolOptions['connection'];
  log?: (message: string) => void;
}

/**
 * Puts a hub together on a database whose migrations are applied.
 * @param options `announcements`: where it hears at once what other nodes have done; without it, within stalenessMsMax.
 * `log`: told in a sentence when a standby is left out of reading, or taken in
 */
export async function createHub(
  config: Config,
  db: Db,
  { announcements, log = () => undefined }: HubOptions = {},
): Promise<Hub> {
  const identity = await loadIdentity(db);
  const watch = new Watch(db, { stalenessMsMax: config.stalenessMsMax, announcements });
  const replicas = new Replicas(db, watch, {
    urls: config.databaseReplicaUrls,
    connectionsMax: config.databasePoolMax,
    isPooled: config.databaseDirectUrl !== undefined,
    lagMsMax: config.replicaLagMsMax,
    log,
  });
  return {
    config,
    db,
    identity,
    validator: createValidator({ clockSkewMs: config.clockSkewMs }),
    replicas,
    readObjects: cachePages(replicas, watch, config.pageCacheBytes, Math.floor(config.databasePoolMax / 2)),
    receipts: createReceipts(db),
    watch,
    writers: createWriters(db, watch),
  };
}
