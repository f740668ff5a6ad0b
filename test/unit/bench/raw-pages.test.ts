import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { RawPages } from '../../../bench/ceilings/raw-pages.ts';

/** What pg's client is on the wire, with nobody at the other end. */
function makeClient() {
  const stream = Object.assign(new EventEmitter(), { cork() {}, uncork() {} });
  const wire = { stream, parse() {}, bind() {}, execute() {}, sync() {} };
  return { stream, client: { connection: wire } as unknown as pg.Client };
}

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

function dataRow(...columns: string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(columns.length);
  const fields = columns.flatMap(column => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(Buffer.byteLength(column));
    return [length, Buffer.from(column)];
  });
  return message('D', Buffer.concat([count, ...fields]));
}

const empty = Buffer.alloc(0);
const rows = fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 300 }), fc.stringMatching(/^[\d:. -]{1,26}$/)));

it('the rows are the same wherever the wire cuts their messages', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(400)), async (pages, cuts) => {
      const { stream, client } = makeClient();
      const raw = new RawPages(client, '00000000-0000-4000-8000-000000000000');
      for (const page of pages) {
        const read = raw.read('-infinity', 1000);
        const bytes = Buffer.concat([
          message('2', empty),
          ...page.map(([object, date]) => dataRow(object, date)),
          message('C', Buffer.from(`SELECT ${page.length}\0`)),
          message('Z', Buffer.from('I')),
        ]);
        let at = 0;
        for (const cut of cuts) {
          // Of its own, as the socket's chunks are: they are written into.
          stream.emit('data', Buffer.from(bytes.subarray(at, at + cut)));
          at += cut;
        }
        stream.emit('data', Buffer.from(bytes.subarray(at)));
        const found = await read;
        expect(Buffer.concat(found.parts).toString()).toBe(page.map(([object]) => object).join(','));
        expect({ rows: found.rows, last: found.last }).toEqual({ rows: page.length, last: page.at(-1)?.[1] ?? '' });
      }
    }),
  );
});

it('an error of PostgreSQL fails the page', async () => {
  const { stream, client } = makeClient();
  const read = new RawPages(client, '00000000-0000-4000-8000-000000000000').read('x', 1);
  stream.emit('data', Buffer.concat([message('E', Buffer.from('SERROR\0')), message('Z', Buffer.from('I'))]));
  await expect(read).rejects.toThrow('ERROR');
});
