import { headersOf, runLoad, send } from '../client.ts';
import type { Figure } from '../figures.ts';
import { type Bench, startServer } from '../hub.ts';
import { compare, interleave } from '../interleave.ts';
import type { PostJob } from '../load.ts';
import { readCollectionId } from './pages.ts';

const connections = 4;

/** Envelopes of 1,000 into one collection and into four, beside COPY of the same rows; envelopes of one into one collection. */
export async function measureWriting(bench: Bench): Promise<Figure[]> {
  const { hub, options } = bench;
  const url = `${await hub.addCollection('writing')}objects/`;
  const singlesUrl = `${await hub.addCollection('singles')}objects/`;
  const id = await readCollectionId(bench, 'writing');
  const ceiling = await startServer(hub, new URL('../ceilings/copy.ts', import.meta.url), id, String(connections));
  const others = ['writing-2', 'writing-3', 'writing-4'];
  const otherUrls: string[] = [];
  for (const alias of others) otherUrls.push(`${await hub.addCollection(alias)}objects/`);
  const envelopes = options.isQuick ? 8 : 32;
  let from = 0;
  const post = (load: Omit<PostJob, 'kind' | 'headers' | 'from'>) => async () => {
    const job = { kind: 'post', headers: headersOf(hub), from, ...load } as const;
    from += load.envelopes * load.objectsEach;
    return runLoad(job);
  };
  const server = { serverPid: hub.pid, inspectorUrl: hub.inspectorUrl };
  const thousands = { url, envelopes, objectsEach: 1000 };
  // The first COPY needs rows that are there, whichever load comes first.
  await post({ ...thousands, connections })();
  try {
    const samples = await interleave(
      bench,
      {
        '4 connections': { ...server, run: post({ ...thousands, connections }) },
        '4 connections, 4 collections': { ...server, run: post({ ...thousands, otherUrls, connections }) },
        '1 connection': { ...server, run: post({ ...thousands, connections: 1 }) },
        COPY: {
          run: async () => JSON.parse((await send(`${ceiling.url}/?rows=${envelopes * 1000}`, { headers: {} })).start),
        },
        singles: {
          ...server,
          run: post({ url: singlesUrl, connections: 64, envelopes: options.isQuick ? 1000 : 5000, objectsEach: 1 }),
        },
      },
      options.isQuick ? 3 : 7,
    );
    return [
      ...compare({
        what: 'envelopes of 1,000',
        unit: 'objects',
        cost: { of: 'object', each: 1 },
        ceiling: samples.COPY,
        hub: {
          '4 connections': { samples: samples['4 connections'], atLeast: 15_000, ofCeiling: 0.25 },
          '4 connections, 4 collections': { samples: samples['4 connections, 4 collections'], atLeast: 15_000 },
          '1 connection': { samples: samples['1 connection'] },
        },
      }),
      ...compare({
        what: 'envelopes of 1',
        unit: 'envelopes',
        cost: { of: 'envelope', each: 1 },
        hub: { '64 connections, one collection': { samples: samples.singles, atLeast: 1500 } },
      }),
    ];
  } finally {
    await ceiling.stop();
  }
}
