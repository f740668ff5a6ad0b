import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** An address on loopback that leads to one server at a time, as a proxy does in front of a primary and its standby. */
export interface TcpSwitch {
  port: number;
  /** breaks all connections, and lets none through */
  cut(): void;
  /** breaks all connections, and leads new ones there */
  lead(port: number): void;
  close(): Promise<void>;
}

export async function startSwitch(target: number): Promise<TcpSwitch> {
  let current: number | undefined = target;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) =>
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
  const listener = createServer(client => {
    keep(client);
    if (current === undefined) return client.destroy();
    const server = connect(current, '127.0.0.1');
    keep(server);
    client.pipe(server).pipe(client);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const lead = (port: number | undefined) => {
    current = port;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    cut: () => lead(undefined),
    lead,
    async close() {
      listener.close();
      lead(undefined);
      await once(listener, 'close');
    },
  };
}
