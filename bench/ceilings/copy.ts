/**
 * The ceiling of writing: COPY of rows that the hub has written, into a table with the same columns and the same indexes, a
 * thousand a transaction. `<port> <collection id> <connections>`; GET /?rows=… copies the next rows of the collection and
 * tells how long that took.
 */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { openHubDatabase } from './database.ts';
import { rangeOf } from './raw-pages.ts';

const rowsEach = 1000;
const [port, collectionId, connections] = process.argv.slice(2) as [string, string, string];
const database = await openHubDatabase();
const clients: pg.Client[] = [];
for (let n = 0; n < Number(connections); n += 1) clients.push(await database.addClient());
const [reader] = clients as [pg.Client];
await reader.query('create table if not exists copied_version (like object_version including all)');
let offset = 0;

/** Lines of COPY's text format, in which a line feed ends a row and stands nowhere else. */
async function readRows(rows: number): Promise<Buffer[]> {
  const columns = await reader.query(
    `select string_agg(quote_ident(attname), ', ' order by attnum) as list from pg_attribute
     where attrelid = 'object_version'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
  );
  const all = await text(
    reader.query(
      copyTo(`copy (
        select ${columns.rows[0].list} from object_version where ${rangeOf(collectionId)}
        order by date_added offset ${offset} limit ${rows}
      ) to stdout`),
    ),
  );
  const lines = all.split('\n').slice(0, -1);
  if (lines.length < rows) throw new Error(`there are ${lines.length} rows to copy, not ${rows}`);
  offset += rows;
  return Array.from({ length: rows / rowsEach }, (_, n) =>
    Buffer.from(`${lines.slice(n * rowsEach, (n + 1) * rowsEach).join('\n')}\n`),
  );
}

async function copyRows(rows: number): Promise<{ count: number; seconds: number }> {
  const queue = (await readRows(rows))[Symbol.iterator]();
  const start = performance.now();
  await Promise.all(
    clients.map(async client => {
      for (let body = queue.next(); !body.done; body = queue.next()) {
        await pipeline(Readable.from([body.value]), client.query(copyFrom('copy copied_version from stdin')));
      }
    }),
  );
  return { count: rows, seconds: (performance.now() - start) / 1000 };
}

createServer(async (request, response) => {
  const rows = Number(new URLSearchParams(request.url?.split('?')[1]).get('rows'));
  response.end(JSON.stringify(await copyRows(rows).catch(error => ({ error: error.message }))));
}).listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
