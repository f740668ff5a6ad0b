import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import pg from 'pg';
import { RowFraming, type RowSink } from './row-framing.ts';

/** A query whose rows are collected, as PostgreSQL gets it. With a name, a connection has it planned once. */
export interface RowQuery {
  text: string;
  values: readonly unknown[];
  name: string | undefined;
}

/** What pg.Client has and its types do not tell. The version of pg is pinned for it; test/db/raw-rows.test.ts tries it. */
interface Internals {
  connection: { attachListeners(stream: NodeJS.ReadableStream): void; stream: Socket };
}

/**
 * A client of pg that can hand on the rows of a query as the bytes that they come in. pg makes strings of all columns, which
 * takes several times as long as everything else that is done for a page.
 */
export class RowClient extends pg.Client {
  #framing: RowFraming | undefined;

  constructor(config?: pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as Internals;
    const attachListeners = connection.attachListeners.bind(connection);
    // Called once, with the socket, or with what TLS has made of it. pg reads its messages off what it is given here.
    connection.attachListeners = stream => {
      const passedOn = new EventEmitter();
      attachListeners(passedOn as NodeJS.ReadableStream);
      const framing = new RowFraming(bytes => passedOn.emit('data', bytes));
      stream.on('data', chunk => framing.take(chunk as Buffer));
      this.#framing = framing;
    };
  }

  /** Runs a query on a client that is doing nothing else. Its columns come in PostgreSQL's binary formats. */
  async collect({ text, values, name }: RowQuery, sink: RowSink): Promise<void> {
    this.#framing?.collect(sink);
    try {
      const query = { text, values: [...values], ...(name !== undefined && { name }), binary: true };
      await this.query(query);
    } finally {
      this.#framing?.collect(undefined);
    }
  }

  /** Closes the connection in the middle of a query, which fails. */
  abandon(): void {
    void this.end();
    // pg would wait for what is under way.
    (this as unknown as Internals).connection.stream.destroy();
  }
}
