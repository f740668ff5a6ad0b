import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createSite, type RunningHub, type Site } from '../test/support/process.ts';
import { type Replication, startReplication } from '../test/support/replication.ts';
import { indicator } from '../test/support/stix.ts';
import { startSwitch, type TcpSwitch } from '../test/support/tcp-switch.ts';

// Two nodes write and are polled while their primary is killed and its standby, which replicates synchronously, takes its
// place behind the same address. Prints what it finds, and ends with 0 where nothing was lost, repeated or restarted.

const { values } = parseArgs({ options: { objects: { type: 'string', default: '300' } } });
/** acknowledged before the primary is killed, and once more after it */
const objectsMin = Number(values.objects);
const [writersCount, pollersCount] = [4, 4];
const waitMsMax = 120_000;
const taxii = 'application/taxii+json;version=2.1';
const path = '/hub/collections/alpha/objects/';

interface Stage {
  servers: Replication;
  address: TcpSwitch;
  site: Site;
}

interface Poller {
  seen: string[];
  after: string;
}

const say = (sentence: string) => process.stdout.write(`${sentence}\n`);
const faults: string[] = [];
const check = (isTrue: boolean, sentence: string) => {
  say(`${isTrue ? 'Yes' : 'NO'}: ${sentence}`);
  if (!isTrue) faults.push(sentence);
};

async function until(isReached: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + waitMsMax;
  while (!(await isReached())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}

async function rehearse({ servers, address, site }: Stage): Promise<void> {
  const { primary, standby } = servers;
  await primary.query(`alter system set synchronous_standby_names = 'standby'`);
  await primary.query('select pg_reload_conf()');
  const synchronous = `select from pg_stat_replication where sync_state = 'sync'`;
  await until(async () => (await primary.query(synchronous)).length === 1, 'the standby replicates synchronously');

  const nodes = [await site.serve(), await site.serve()];
  const token = await prepare(site);
  say(`Two nodes serve; ${writersCount} writers add objects, ${pollersCount} pollers read them.`);
  const acknowledged: string[] = [];
  const pollers = Array.from({ length: pollersCount }, (): Poller => ({ seen: [], after: '' }));
  let isWriting = true;
  let isPolling = true;
  let refused = 0;
  const writing = Array.from({ length: writersCount }, async (_, turn) => {
    for (let n = turn; isWriting; n += 1) {
      const object = indicator();
      if (await push(nodeAt(nodes, n), token, object)) acknowledged.push(object.id);
      else {
        refused += 1;
        await sleep(50);
      }
    }
  });
  const polling = pollers.map(async (poller, turn) => {
    for (let n = turn; isPolling; n += 1) if (!(await poll(nodeAt(nodes, n), token, poller))) await sleep(20);
  });

  await until(() => acknowledged.length >= objectsMin, 'enough objects are acknowledged');
  const before = acknowledged.length;
  process.kill(await primary.pid(), 'SIGKILL');
  address.cut();
  say(`The primary was killed after ${before} acknowledged objects.`);
  await sleep(1000);
  await standby.query('select pg_promote()', 'postgres');
  address.lead(standby.port);
  say('The standby was promoted, and the address leads to it.');

  await until(() => acknowledged.length >= before + objectsMin, 'as many objects are acknowledged after it');
  isWriting = false;
  await Promise.all(writing);
  const isEverythingSeen = () => pollers.every(({ seen }) => isSubset(acknowledged, seen));
  await until(isEverythingSeen, 'all pollers have seen what was acknowledged').catch(() => undefined);
  isPolling = false;
  await Promise.all(polling);

  const fresh: Poller = { seen: [], after: '' };
  while (await poll(nodeAt(nodes, 0), token, fresh));
  say(`${acknowledged.length} objects were acknowledged, and ${refused} attempts refused or broken meanwhile.`);
  check(isSubset(acknowledged, fresh.seen), 'every acknowledged object is there.');
  check(isEverythingSeen(), 'every poller that went on has seen every acknowledged object.');
  check(
    pollers.every(({ seen }) => isSubset(fresh.seen, seen)),
    'no poller has a gap.',
  );
  check(
    pollers.every(({ seen }) => new Set(seen).size === seen.length),
    'no poller has seen an object twice.',
  );
  check(
    nodes.every(({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null),
    'both nodes went on without a restart.',
  );
}

async function prepare(site: Site): Promise<string> {
  await site.ok('partner', 'add', 'bank', '--name', 'Bank', '--sector', 'finance');
  await site.ok('collection', 'add', 'alpha', '--title', 'Alpha');
  await site.ok('grant', 'bank', 'alpha', 'read', 'write');
  return site.ok('token', 'issue', 'bank', '--scope', 'collection:alpha:read collection:alpha:write', '--ttl', '1d');
}

const nodeAt = (nodes: RunningHub[], turn: number) => nodes[turn % nodes.length] as RunningHub;
const isSubset = (some: string[], all: string[]) => {
  const known = new Set(all);
  return some.every(one => known.has(one));
};

/** @returns whether it was acknowledged */
async function push(hub: RunningHub, token: string, object: object): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}`, accept: taxii, 'content-type': taxii };
  const body = JSON.stringify({ objects: [object] });
  const signal = AbortSignal.timeout(10_000);
  const answer = await fetch(hub.url + path, { method: 'POST', headers, body, signal }).catch(() => undefined);
  const text = await answer?.text().catch(() => undefined);
  return answer?.status === 202 && text !== undefined && JSON.parse(text).success_count === 1;
}

/** @returns whether there was anything */
async function poll(hub: RunningHub, token: string, poller: Poller): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}`, accept: taxii };
  const url = `${hub.url}${path}?limit=50${poller.after}`;
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  const text = await answer?.text().catch(() => undefined);
  if (answer?.status !== 200 || text === undefined) return false;
  const { objects = [] } = JSON.parse(text) as { objects?: { id: string }[] };
  poller.seen.push(...objects.map(({ id }) => id));
  poller.after = `&added_after=${answer.headers.get('x-taxii-date-added-last')}`;
  return objects.length > 0;
}

const servers = await startReplication();
const address = await startSwitch(servers.primary.port);
const site = await createSite({
  DATABASE_URL: `postgres://taxiway@127.0.0.1:${address.port}/taxiway`,
  LOG_LEVEL: 'fatal',
});
try {
  await rehearse({ servers, address, site });
} catch (error) {
  faults.push((error as Error).message);
  say(`NO: ${(error as Error).message}.`);
} finally {
  await site.remove();
  await address.close();
  await servers.remove();
}
say(faults.length === 0 ? 'The fail-over went well.' : 'The fail-over went wrong.');
process.exitCode = faults.length === 0 ? 0 : 1;
