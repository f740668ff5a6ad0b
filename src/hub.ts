import { type HubIdentity, loadIdentity } from './auth/hub-identity.ts';
import type { Config } from './config.ts';
import type { Db } from './db/pool.ts';
import { createValidator, type Validator } from './stix/validate.ts';
import { createReceipts, type Receipts } from './taxii/receipts.ts';
import { createWriters, type Writers } from './taxii/writers.ts';

/** What routes and commands work with. Holds no state that matters: any number of nodes may share one database. */
export interface Hub {
  config: Config;
  db: Db;
  identity: HubIdentity;
  validator: Validator;
  receipts: Receipts;
  writers: Writers;
}

/** Puts a hub together on a database whose migrations are applied. */
export async function createHub(config: Config, db: Db): Promise<Hub> {
  return {
    config,
    db,
    identity: await loadIdentity(db),
    validator: createValidator({ clockSkewMs: config.clockSkewMs }),
    receipts: createReceipts(db),
    writers: createWriters(db),
  };
}
