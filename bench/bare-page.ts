/**
 * What a page costs without anybody asking who wants it: a Fastify route that sends what the hub's own statement gives,
 * in a process of its own. `node --import tsx bench/bare-page.ts <port> <alias> <objects>`, on the database of the hub
 * whose environment it has.
 */
import Fastify from 'fastify';
import { readEnv, toConfig } from '../src/config.ts';
import { findCollection, levelsOf } from '../src/db/collections.ts';
import { connect } from '../src/db/connect.ts';
import { everything, pageObjects } from '../src/db/objects.ts';
import { sendTaxii } from '../src/http/media-type.ts';
import { toEnvelope } from '../src/taxii/envelope.ts';
import { toVersionSelector } from '../src/taxii/filter.ts';
import { beginning } from '../src/taxii/timestamp.ts';

const [port, alias = '', objects] = process.argv.slice(2);
const config = toConfig(readEnv());
const database = await connect(config, { log: () => {}, migrations: 'check' });
const collection = await findCollection(database.db, alias);
if (!collection) throw new Error(`there is no collection ${alias}`);

const filter = { versions: toVersionSelector(['last']) };
const bounds = {
  after: beginning,
  until: collection.date_added_last,
  levels: levelsOf(collection),
  objectsMax: Number(objects),
  bytesMax: config.pageBytesMax,
};
const app = Fastify();
app.get('/', async (_request, reply) => {
  const { rows, more } = await pageObjects(database.db, collection.id, everything, filter, bounds);
  return sendTaxii(reply, toEnvelope({ more }, rows));
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.once('SIGTERM', () => app.close().then(() => database.close()));
