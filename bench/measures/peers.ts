import { headersOf, repeat, runLoad } from '../client.ts';
import { mediaType } from '../exchange.ts';
import type { Figure } from '../figures.ts';
import type { Bench } from '../hub.ts';
import { interleave, type Load, type Work } from '../interleave.ts';
import { startPeers } from '../peers/start.ts';
import { ratios } from '../statistics.ts';

const objects = 2000;
// What takes longer once is not done over and over: medallion goes through all that it holds for each new object.
const attemptMsMax = 30_000;

/** A TAXII 2.1 server, and a collection of it that is empty in the beginning. */
export interface Server {
  name: string;
  /** of the objects of the collection */
  url: string;
  headers: Record<string, string>;
}

/** The same loads in turn to the hub and to other servers. What a server cannot do is left out and told. */
export async function measurePeers(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const installed = options.isWithPeers ? await startPeers(hub, progress) : { servers: [], stop: async () => {} };
  try {
    const own: Server = { name: 'hub', url: `${await hub.addCollection('peer')}objects/`, headers: headersOf(hub) };
    const given = options.peers.map(({ url, authorization }) => ({
      name: new URL(url).host,
      url: `${url}objects/`,
      headers: { accept: mediaType, ...(authorization && { authorization }) },
    }));
    const servers: Server[] = [];
    for (const server of [own, ...installed.servers, ...given]) {
      progress(`  ${server.name}: ${objects} objects into it`);
      try {
        await post(server, { connections: 4, envelopes: objects / 1000, each: 1000 });
        servers.push(server);
      } catch (error) {
        progress(`  ${server.name} is left out: ${(error as Error).message}`);
      }
    }
    const figures: Figure[] = [];
    for (const [what, { unit, run }] of Object.entries(loads(options.isQuick))) {
      const able: Record<string, Load> = {};
      for (const server of servers) {
        const load = { run: () => run(server) };
        if (await attempt(server, progress, load.run)) able[server.name] = load;
      }
      progress(`  ${what}`);
      const samples = await interleave(bench, able, options.isQuick ? 2 : 5);
      const ours = samples.hub?.perSecond;
      for (const [name, { perSecond }] of Object.entries(samples)) {
        figures.push({ name: `${what}, ${name}`, unit, values: perSecond, chart: `${what}: ${unit}` });
        if (ours && name !== 'hub') {
          figures.push({ name: `${what}, hub / ${name}`, unit: '×', values: ratios(ours, perSecond) });
        }
      }
    }
    return figures;
  } finally {
    await installed.stop();
  }
}

// Reading comes first, since it is told how many objects there are.
function loads(isQuick: boolean): Record<string, { unit: string; run: (server: Server) => Promise<Work> }> {
  const seconds = isQuick ? 1 : 3;
  const walk = (limit: number) => (server: Server) =>
    runLoad({ kind: 'walk', ...server, connections: 4, seconds, limit, by: 'next', objects });
  return {
    'pages of 1,000': { unit: 'objects/s', run: walk(1000) },
    'pages of 100': { unit: 'objects/s', run: walk(100) },
    'empty poll': {
      unit: 'polls/s',
      run: ({ url, headers }) =>
        repeat(`${url}?added_after=2100-01-01T00:00:00.000Z`, { headers, connections: 16, seconds }),
    },
    'envelopes of 1,000': {
      unit: 'objects/s',
      run: server => post(server, { connections: 4, envelopes: isQuick ? 4 : 8, each: 1000 }),
    },
    'envelopes of 1': {
      unit: 'objects/s',
      run: server => post(server, { connections: 16, envelopes: isQuick ? 50 : 400, each: 1 }),
    },
  };
}

/** Ids are random: every object is new. */
function post({ url, headers }: Server, load: { connections: number; envelopes: number; each: number }) {
  const { connections, envelopes, each } = load;
  return runLoad({ kind: 'post', url, headers, connections, envelopes, objectsEach: each, from: 0 });
}

async function attempt(
  server: Server,
  progress: (message: string) => void,
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    const start = performance.now();
    await work();
    const ms = performance.now() - start;
    if (ms > attemptMsMax) progress(`  ${server.name} took ${Math.round(ms / 1000)} s`);
    return ms <= attemptMsMax;
  } catch (error) {
    progress(`  ${server.name} is left out: ${(error as Error).message}`);
    return false;
  }
}
