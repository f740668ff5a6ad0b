import { randomUUID } from 'node:crypto';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { sql } from 'kysely';
import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import { parseScope } from '../../src/auth/scopes.ts';
import { issueToken } from '../../src/auth/tokens.ts';
import { type Config, toConfig } from '../../src/config.ts';
import { operator } from '../../src/db/audit.ts';
import { type CollectionRow, insertCollection, listCollections } from '../../src/db/collections.ts';
import { deleteGrant, findGrant, type GrantedRights, putGrant } from '../../src/db/grants.ts';
import { insertPartner, type PartnerRow } from '../../src/db/partners.ts';
import { createHub, type Hub } from '../../src/hub.ts';
import type { TlpLevel } from '../../src/stix/tlp.ts';
import type { Policy } from '../../src/stix/validate.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

export const taxii = 'application/taxii+json;version=2.1';

/** A hub as production builds it, on a database of its own. */
export interface TestHub {
  hub: Hub;
  app: FastifyInstance;
  database: TestDatabase;
  /** log lines so far, as the operator would see them */
  log: string[];
  addPartner(slug?: string): Promise<PartnerRow>;
  addCollection(options?: {
    alias?: string;
    apiRoot?: string;
    id?: string;
    validation?: Policy;
    tlp_default?: TlpLevel;
    tlp_max?: TlpLevel;
  }): Promise<CollectionRow>;
  /** a token, and the grants that it takes */
  tokenFor(partner: PartnerRow, scope: string, ttlMs?: number): Promise<string>;
  revokeGrant(partner: PartnerRow, collection: CollectionRow): Promise<void>;
  /** a request as `token`'s holder, with the TAXII media types set */
  request(token: string | undefined, options: InjectOptions): Promise<LightMyRequestResponse>;
  get(token: string, url: string): Promise<LightMyRequestResponse>;
  post(token: string, url: string, body: unknown): Promise<LightMyRequestResponse>;
  /** another node on the same database */
  addNode(): Promise<FastifyInstance>;
  close(): Promise<void>;
}

const nothing: GrantedRights = {
  can_read: false,
  can_write: false,
  tlp_ceiling: 2,
  quota_bytes: null,
  sees_partners: false,
};

/**
 * @param settings in the place of the defaults. Beside that, the hub asks the database about grants and tokens each time, so
 * that tests may change them behind its back; those of stale knowledge say how stale it may be
 * @param given a database that is migrated, in the place of a new one
 */
export async function startTestHub(settings: Partial<Config> = {}, given?: TestDatabase): Promise<TestHub> {
  const database = given ?? (await createTestDatabase());
  const config = { ...toConfig({}), stalenessMsMax: 0, ...settings };
  const hub = await createHub(config, database.db, { announcements: database.connection });
  const log: string[] = [];
  const logger = pino({ level: 'info' }, { write: line => void log.push(line) });
  const app = await buildApp(hub, logger);
  const nodes = [app];
  const watches = [hub.watch];
  let named = 0;

  const request: TestHub['request'] = (token, options) =>
    app.inject({
      ...options,
      headers: { accept: taxii, ...(token && { authorization: `Bearer ${token}` }), ...options.headers },
    });
  return {
    hub,
    app,
    database,
    log,
    request,
    get: (token, url) => request(token, { method: 'GET', url }),
    post: (token, url, body) =>
      request(token, {
        method: 'POST',
        url,
        headers: { 'content-type': taxii },
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
    async addPartner(slug = `partner-${++named}`) {
      return required(await insertPartner(hub.db, { slug, name: slug, sector: 'finance' }));
    },
    async addCollection({ alias = `collection-${++named}`, apiRoot = 'hub', id = randomUUID(), ...policy } = {}) {
      const row = { id, alias, api_root: apiRoot, title: `Title of ${alias}`, description: null, ...policy };
      return required(await insertCollection(hub.db, row));
    },
    async tokenFor(partner, scope, ttlMs = 3_600_000) {
      // As if the operator had granted all that the token says; `grant` changes it afterwards.
      for (const { collection, right } of parseScope(scope) ?? []) {
        const named = await listCollections(hub.db);
        const meant = named.filter(({ id, alias }) => ['*', id, alias].includes(collection));
        for (const { id } of meant) {
          const before = (await findGrant(hub.db, partner.id, id)) ?? nothing;
          await putGrant(hub.db, partner.id, id, { ...before, [`can_${right}`]: true });
        }
      }
      const request = { partnerId: partner.id, partner: partner.slug, scope, ttlMs };
      const issued = await hub.db.transaction().execute(tx => issueToken(tx, hub.identity, operator, request));
      return issued.token;
    },
    async revokeGrant(partner, collection) {
      await hub.db.transaction().execute(tx => deleteGrant(tx, partner.id, collection.id));
    },
    async addNode() {
      const another = await createHub(hub.config, database.open(), { announcements: database.connection });
      watches.push(another.watch);
      const node = await buildApp(another, logger);
      nodes.push(node);
      return node;
    },
    async close() {
      await Promise.all(nodes.map(node => node.close()));
      await Promise.all([...watches.map(watch => watch.close()), hub.replicas.close()]);
      await database.drop();
    },
  };
}

export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a fixture is missing');
  return value;
}

/** How many statements wait for a lock, in the hub's database. */
export async function countLockWaits({ hub }: TestHub): Promise<number> {
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await waiting.execute(hub.db)).rows.length;
}
