/**
 * The hub's own route of objects without anybody asking who wants them: no token, no grant, no limit of requests. For the
 * benchmark alone, in a process of its own: `node --import tsx bench/ceilings/unauthorised.ts <port>`, on the database of the
 * hub whose environment it has.
 */
import Fastify, { type FastifyBaseLogger, type FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { readEnv, toConfig } from '../../src/config.ts';
import { type CollectionRow, findCollection } from '../../src/db/collections.ts';
import { connect } from '../../src/db/connect.ts';
import { everything } from '../../src/db/objects.ts';
import { answerBytes } from '../../src/http/answer-bytes.ts';
import { hook } from '../../src/http/hook.ts';
import { mediaType } from '../../src/http/media-type.ts';
import { observe } from '../../src/http/observe.ts';
import { securityHeaders } from '../../src/http/security-headers.ts';
import { taxiiErrors } from '../../src/http/taxii-errors.ts';
import { waiting } from '../../src/http/waiting.ts';
import { createHub } from '../../src/hub.ts';
import { getObjects } from '../../src/taxii/routes/get-objects.ts';

const config = toConfig(readEnv());
const database = await connect(config, { log: () => {}, migrations: 'check' });
const hub = await createHub(config, database.db);
const logger: FastifyBaseLogger = pino({ level: config.logLevel });
const app = Fastify({
  loggerInstance: logger,
  routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
});
// As the hub does: route schemas document alone.
app.setValidatorCompiler(() => () => true);
app.setSerializerCompiler(() => data => JSON.stringify(data));
await app.register(observe);
await app.register(taxiiErrors);
await app.register(securityHeaders, { isSecure: false });
await app.register(mediaType);
// What the route itself works with.
await app.register(answerBytes, { config });
await app.register(waiting, { hub });
const ids = new Map<string, string>();
const find = async (alias: string): Promise<CollectionRow> => {
  await hub.watch.fresh();
  const { generation } = hub.watch;
  const collection = await findCollection(hub.db, alias);
  if (!collection) throw new Error(`there is no collection ${alias}`);
  hub.watch.learn(collection, generation);
  ids.set(alias, collection.id);
  return collection;
};
const enter = (request: FastifyRequest, collection: CollectionRow): void => {
  const open = { can_read: true, can_write: false, quota_bytes: null };
  const grant = {
    ...open,
    tlp_ceiling: everything.ceiling,
    replay_above: null,
    replay_until: null,
    replayed_last: null,
  };
  Object.assign(request, {
    principal: { partnerId: everything.partnerId },
    collection: { ...collection, grant },
    reader: everything,
    // So that pages are kept, as on the hub.
    generation: hub.watch.generation,
  });
};
app.addHook(
  'onRequest',
  hook(request => {
    const { collection: alias } = request.params as { collection: string };
    // As the hub: what is known is fresh enough, and asks the database for nothing.
    const known = hub.watch.fresh() ? undefined : hub.watch.collection(ids.get(alias) ?? '');
    return known ? enter(request, known) : find(alias).then(found => enter(request, found));
  }),
);
app.route(getObjects(hub));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
process.once('SIGTERM', () => app.close().then(() => database.close()));
