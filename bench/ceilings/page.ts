/**
 * The ceiling of pages: a bare node:http server that sends what RawPages reads between two constant buffers. It asks nobody
 * who they are, notes nothing and checks nothing. `<port> <collection id> <connections>`
 */
import { createServer } from 'node:http';
import { mediaType } from '../exchange.ts';
import { openHubDatabase } from './database.ts';
import { RawPages } from './raw-pages.ts';

const [port, collectionId, connections] = process.argv.slice(2) as [string, string, string];
const head = Buffer.from('{"more":true,"objects":[');
const lastHead = Buffer.from('{"more":false,"objects":[');
const tail = Buffer.from(']}');
const empty = Buffer.from('{"more":false}');

const database = await openHubDatabase();
const free: RawPages[] = [];
for (let n = 0; n < Number(connections); n += 1) free.push(new RawPages(await database.addClient(), collectionId));

const server = createServer(async (request, response) => {
  const query = new URLSearchParams(request.url?.split('?')[1]);
  const limit = Number(query.get('limit'));
  // Never more clients than connections.
  const pages = limit > 0 ? free.pop() : undefined;
  if (!pages) {
    response.writeHead(400).end();
    return;
  }
  const { parts, rows, last } = await pages.read(query.get('added_after') ?? '-infinity', limit);
  free.push(pages);
  const body = rows === 0 ? [empty] : [rows < limit ? lastHead : head, ...parts, tail];
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': body.reduce((sum, { length }) => sum + length, 0),
    'x-taxii-date-added-last': last,
  });
  response.cork();
  for (const part of body) response.write(part);
  response.uncork();
  response.end();
}).listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  process.exit(0);
});
