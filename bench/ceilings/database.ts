import pg from 'pg';
import { readEnv, toConfig } from '../../src/config.ts';
import { connect } from '../../src/db/connect.ts';
import { sessionOptions, toClientConfig } from '../../src/db/pool.ts';

/** Opens connections to the database of the hub whose environment this is, as the hub has them. */
export async function openHubDatabase(env = readEnv()) {
  const handle = await connect(toConfig(env), { log: () => {}, migrations: 'check' });
  const clients: pg.Client[] = [];
  return {
    async addClient(): Promise<pg.Client> {
      const client = new pg.Client({ ...toClientConfig(handle.connection), options: sessionOptions });
      await client.connect();
      clients.push(client);
      return client;
    },
    /** how other programs reach another database of the same PostgreSQL */
    urlOf(database: string): string {
      const { host, port, user } = clients[0] as pg.Client;
      return `postgresql://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
    },
    async close(): Promise<void> {
      await Promise.all(clients.map(client => client.end()));
      await handle.close();
    },
  };
}
