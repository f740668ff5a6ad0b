import type { Socket } from 'node:net';
import type pg from 'pg';

/** The part of pg's connection that is used here, which its types leave out. */
interface Wire {
  stream: Socket;
  parse(query: { name: string; text: string; types: number[] }): void;
  bind(values: { statement: string; values: string[] }): void;
  execute(query: object): void;
  sync(): void;
}

export interface RawPage {
  /** the texts with commas between them; all of it to be sent before the next page is asked for */
  parts: Buffer[];
  rows: number;
  /** the date of the last row, as PostgreSQL writes it */
  last: string;
}

interface Settle {
  resolve(page: RawPage): void;
  reject(error: Error): void;
}

const dataRow = 0x44;
const commandComplete = 0x43;
const errorResponse = 0x45;
const readyForQuery = 0x5a;
const comma = 0x2c;
const headerBytes = 5;

/** The collection's objects as the index object_version_range has them. */
export function rangeOf(collectionId: string): string {
  return `range_key(collection_id, tlp, ends_of(tlp, first_below, last_below), '')
    = range_key('${collectionId}'::uuid, 1::smallint, 3, '')`;
}

/**
 * The cheapest way that we know from PostgreSQL to a client: the messages of the extended protocol are cut by their
 * lengths, and the text's bytes moved together in the very buffers in which they came. No object becomes a string.
 *
 * Takes the client over: nothing else may use it.
 */
export class RawPages {
  #wire: Wire;
  #rest: Buffer = Buffer.alloc(0);
  #page: RawPage = { parts: [], rows: 0, last: '' };
  #lastDate: Buffer = Buffer.alloc(0);
  #settle: Settle | undefined;

  constructor(client: pg.Client, collectionId: string) {
    if (!/^[\da-f-]{36}$/.test(collectionId)) throw new Error(`${collectionId} is no id of a collection`);
    this.#wire = (client as unknown as { connection: Wire }).connection;
    this.#wire.stream.removeAllListeners('data');
    this.#wire.stream.on('data', chunk => this.#take(chunk));
    // The benchmark's objects have one level, and one version each: the statement is a range of one index.
    this.#wire.parse({
      name: 'page',
      text: `select object, date_added from object_version
        where ${rangeOf(collectionId)} and date_added > $1::timestamptz
        order by date_added limit $2::bigint`,
      types: [],
    });
  }

  /** One page after a date. One at a time. */
  read(after: string, limit: number): Promise<RawPage> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      // In one write, so that PostgreSQL is woken once.
      this.#wire.stream.cork();
      this.#wire.bind({ statement: 'page', values: [after, String(limit)] });
      this.#wire.execute({});
      this.#wire.sync();
      this.#wire.stream.uncork();
    });
  }

  #take(chunk: Buffer): void {
    let fresh = chunk;
    if (this.#rest.length > 0) {
      const bytes = this.#rest.length + chunk.length < headerBytes ? Infinity : this.#lengthOfFirst(chunk);
      const missing = bytes - this.#rest.length;
      if (missing > chunk.length) {
        this.#rest = Buffer.concat([this.#rest, chunk]);
        return;
      }
      this.#scan(Buffer.concat([this.#rest, chunk.subarray(0, missing)]));
      fresh = chunk.subarray(missing);
    }
    this.#rest = fresh.subarray(this.#scan(fresh));
  }

  /** of the message that the last chunk cut */
  #lengthOfFirst(chunk: Buffer): number {
    const header = Buffer.concat([this.#rest.subarray(0, headerBytes), chunk.subarray(0, headerBytes)]);
    return 1 + header.readInt32BE(1);
  }

  /** @returns where the message begins that is not whole yet */
  #scan(buffer: Buffer): number {
    let at = 0;
    let to = 0;
    while (at + headerBytes <= buffer.length) {
      const end = at + 1 + buffer.readInt32BE(at + 1);
      if (end > buffer.length) break;
      if (buffer[at] === dataRow) {
        // Type, length, the number of columns, then of each its length and its bytes.
        const start = at + headerBytes + 2 + 4;
        const textEnd = start + buffer.readInt32BE(start - 4);
        to += buffer.copy(buffer, to, start, textEnd);
        buffer[to] = comma;
        to += 1;
        this.#page.rows += 1;
        // What is moved next may come to lie over it, but then it is not the last one.
        this.#lastDate = buffer.subarray(textEnd + 4, end);
      } else {
        this.#handle(buffer[at] as number, buffer.subarray(at + headerBytes, end));
      }
      at = end;
    }
    if (to > 0) this.#page.parts.push(buffer.subarray(0, to));
    return at;
  }

  #handle(type: number, body: Buffer): void {
    if (type === commandComplete) {
      this.#page.last = this.#lastDate.toString('latin1');
      this.#lastDate = Buffer.alloc(0);
    }
    if (type === errorResponse) this.#settle?.reject(new Error(body.toString()));
    if (type !== readyForQuery) return;
    // Its turn comes after the last part was put into the page.
    const { resolve } = this.#settle as Settle;
    queueMicrotask(() => {
      const page = this.#page;
      this.#page = { parts: [], rows: 0, last: '' };
      const last = page.parts.at(-1);
      if (last) page.parts[page.parts.length - 1] = last.subarray(0, -1);
      resolve(page);
    });
  }
}
