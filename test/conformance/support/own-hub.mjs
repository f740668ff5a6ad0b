// The hub that the suite runs against where it is given no server: `node own-hub.mjs <directory> <pid>`. It writes
// server.json (or failure.txt) into the directory, and goes away with the process that it is told to watch.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startHub } from './hub-process.mjs';

const [directory, watched] = process.argv.slice(2);
const campaign = fileURLToPath(new URL('../../../examples/campaign.json', import.meta.url));

let hub;
try {
  await publish('own-hub.pid', String(process.pid));
  // Small limits, so that pages and bodies need not be large to meet them.
  hub = await startHub({
    TAXIWAY_MAX_CONTENT_LENGTH: String(512 * 1024),
    TAXIWAY_PAGE_OBJECTS_MAX: '50',
    TAXIWAY_PAGE_BYTES_MAX: String(128 * 1024),
  });
  await publish('server.json', JSON.stringify(await prepare(hub)));
} catch (error) {
  await publish('failure.txt', error.stderr || error.message);
}
while (isAlive(Number(watched))) await sleep(200);
await hub?.stop();
await rm(directory, { recursive: true, force: true });

/** Makes partners, an API root, collections of each kind of right, and tokens, with the commands of the hub. */
async function prepare({ url, taxiway }) {
  await taxiway('root', 'add', 'group', '--title', 'Conformance group');
  const addPartner = slug => taxiway('partner', 'add', slug, '--name', slug, '--sector', 'finance');
  const addCollection = (alias, root = 'group') =>
    taxiway('collection', 'add', alias, '--title', `The ${alias}`, '--root', root);
  // Grants what the token is to say, and issues it.
  const issue = async (partner, rights) => {
    for (const [collection, words] of Object.entries(rights)) await taxiway('grant', partner, collection, ...words);
    const scope = Object.entries(rights).flatMap(([collection, words]) =>
      words.map(word => `collection:${collection}:${word}`),
    );
    return taxiway('token', 'issue', partner, '--scope', scope.join(' '), '--ttl', '1d');
  };

  const [readWrite, readOnly, writeOnly, hidden] = await Promise.all([
    addCollection('shared'),
    addCollection('feed'),
    addCollection('inbox'),
    addCollection('secret'),
    addCollection('elsewhere', 'hub'),
    addPartner('alpha'),
    addPartner('beta'),
  ]);
  const [alpha, beta] = await Promise.all([
    issue('alpha', { shared: ['read', 'write'], feed: ['read'], inbox: ['write'], elsewhere: ['read'] }),
    issue('beta', { shared: ['read', 'write'], feed: ['read', 'write'], secret: ['read', 'write'] }),
    taxiway('import', 'feed', campaign, '--as', 'beta'),
  ]);
  return {
    TAXII_URL: url,
    TAXII_API_ROOT: '/group/',
    TAXII_AUTHORIZATION: `Bearer ${alpha}`,
    TAXII_BASIC: `alpha:${alpha}`,
    TAXII_OTHER_AUTHORIZATION: `Bearer ${beta}`,
    TAXII_OTHER_API_ROOT: '/hub/',
    TAXII_READ_WRITE: readWrite,
    TAXII_READ_ONLY: readOnly,
    TAXII_WRITE_ONLY: writeOnly,
    TAXII_HIDDEN: hidden,
    TAXII_HOUSE_RULES: 'on',
  };
}

async function publish(name, text) {
  await writeFile(join(directory, `${name}.new`), text);
  await rename(join(directory, `${name}.new`), join(directory, name));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
