import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHubDatabase } from '../ceilings/database.ts';
import { mediaType } from '../exchange.ts';
import { type BenchHub, findFreePort, waitUntilAnswers } from '../hub.ts';
import { installPython } from './python.ts';
import type { Peer } from './start.ts';

// The newest with which its release of 2022 works.
const packages = [
  'opentaxii==0.9.3',
  'sqlalchemy<2',
  'marshmallow<4',
  'flask<2.3',
  'werkzeug<2.3',
  'psycopg2-binary',
  'gunicorn',
];
const workers = 2;

// Its commands do not tell the ids of what they add.
const prepare = `
import json
from opentaxii.cli import app
with app.app_context():
    api = app.taxii_server.servers.taxii2.persistence.api
    root = api.add_api_root(title='Benchmark', default=True)
    collection = api.add_collection(api_root_id=root.id, title='Benchmark')
    auth = app.taxii_server.auth
    auth.api.create_account(username='bench', password='bench', is_admin=True)
    token = auth.authenticate(username='bench', password='bench')
    print(json.dumps([str(root.id), str(collection.id), token if isinstance(token, str) else token.decode()]))
`;

// With these packages the id of a status is an object, which its own JSON does not know.
const application = `
import json, uuid
default = json.JSONEncoder.default
json.JSONEncoder.default = lambda self, value: str(value) if isinstance(value, uuid.UUID) else default(self, value)
from opentaxii.http import app
`;

/** OpenTAXII with two workers of gunicorn, on the PostgreSQL that the hub has started. */
export async function startOpenTaxii(hub: BenchHub): Promise<Peer> {
  const python = await installPython('opentaxii', packages);
  const database = await openHubDatabase(hub.env);
  await (await database.addClient()).query('create database opentaxii');
  const url = database.urlOf('opentaxii');
  await database.close();
  const file = join(hub.directory, 'opentaxii.yml');
  await writeFile(file, configure(url));
  await writeFile(join(hub.directory, 'bench_opentaxii.py'), application);
  const env = { OPENTAXII_CONFIG: file, PYTHONPATH: hub.directory };
  const output = await python.run('python', ['-c', prepare], env);
  const [root, collection, token] = JSON.parse(output.trim().split('\n').at(-1) as string);
  const port = await findFreePort();
  const child = python.start(
    'gunicorn',
    // An envelope that takes longer than half a minute would end its worker.
    [
      ...['bench_opentaxii:app', '--workers', String(workers), '--bind', `127.0.0.1:${port}`],
      ...['--log-level', 'critical', '--timeout', '300'],
    ],
    env,
  );
  await waitUntilAnswers(child, `http://127.0.0.1:${port}/taxii2/`);
  return {
    server: {
      name: 'OpenTAXII 0.9.3',
      url: `http://127.0.0.1:${port}/taxii2/${root}/collections/${collection}/objects/`,
      headers: { accept: mediaType, authorization: `Bearer ${token}` },
    },
    child,
  };
}

function configure(databaseUrl: string): string {
  const parameters = { db_connection: databaseUrl, create_tables: true };
  // JSON is YAML.
  return JSON.stringify({
    domain: 'localhost',
    auth_api: {
      class: 'opentaxii.auth.sqldb.SQLDatabaseAPI',
      parameters: { ...parameters, secret: randomUUID(), token_ttl_secs: 86_400 },
    },
    taxii1: null,
    taxii2: {
      title: 'Benchmark',
      public_discovery: false,
      allow_custom_properties: true,
      max_content_length: 32 * 1024 * 1024,
      persistence_api: { class: 'opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI', parameters },
    },
    logging: { opentaxii: 'critical', root: 'critical' },
  });
}
