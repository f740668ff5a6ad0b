import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import type { Certificate } from './certificates.ts';
import type { TestServer } from './database.ts';

export interface Relay {
  /** for the same database by way of the relay */
  connection: { connectionString: string };
  /** breaks every connection that is there */
  breakAll(): void;
  /** the same, and breaks those that are opened meanwhile, until it is said not to be away any more */
  setAway(isAway: boolean): void;
  close(): Promise<void>;
}

export interface RelayOptions {
  /** cuts what the server sends into pieces of these lengths, again and again */
  cuts?: number[];
  /** speaks TLS with clients, as PostgreSQL does */
  certificate?: Certificate | undefined;
}

/** Stands between clients and PostgreSQL, over TCP, whatever PostgreSQL itself listens to. */
export async function startRelay(server: TestServer, { cuts = [], certificate }: RelayOptions = {}): Promise<Relay> {
  const { host, port, user, database } = new pg.Client(server);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    return socket;
  };
  let away = false;
  const listener = createServer(async accepted => {
    keep(accepted);
    if (away) return void accepted.destroy();
    const client: Duplex = certificate ? await beginTls(accepted, certificate) : accepted;
    const upstream = keep(host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host));
    client.on('error', () => {}).pipe(upstream);
    upstream.on('data', bytes => {
      for (const piece of cut(bytes as Buffer, cuts)) client.write(piece);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => accepted.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address() as AddressInfo;
  const parameters = certificate ? '?sslmode=no-verify' : '';
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    connection: { connectionString: `postgres://${user}@127.0.0.1:${address.port}/${database}${parameters}` },
    breakAll,
    setAway(isAway) {
      away = isAway;
      if (away) breakAll();
    },
    async close() {
      listener.close();
      breakAll();
      await once(listener, 'close');
    },
  };
}

function* cut(bytes: Buffer, lengths: number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

// The client asks for TLS in eight bytes, and begins once it has got an S ("SSL Session Encryption" in PostgreSQL's
// documentation).
async function beginTls(socket: Socket, { cert, key }: Certificate): Promise<Duplex> {
  await once(socket, 'readable');
  socket.read(8);
  socket.write('S');
  return new TLSSocket(socket, { isServer: true, cert, key });
}
