import { headersOf, runLoad, send } from '../client.ts';
import type { Figure } from '../figures.ts';
import { fill } from '../filling.ts';
import { type Bench, startServer } from '../hub.ts';
import { compare, interleave } from '../interleave.ts';
import type { WalkJob } from '../load.ts';

const connections = 4;

/**
 * Whole walks through a collection in pages of 1,000 and of 100: the ceiling, and the hub by `next` and by `added_after`,
 * with its page cache and without.
 */
export async function measurePages(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const objects = options.isQuick ? 10_000 : 50_000;
  const url = await hub.addCollection('pages');
  await fill(hub, `${url}objects/`, { from: 0, to: objects }, progress);
  const id = await readCollectionId(bench, 'pages');
  const uncached = await hub.addNode({ TAXIWAY_PAGE_CACHE_BYTES: '0' });
  const ceiling = await startServer(hub, new URL('../ceilings/page.ts', import.meta.url), id, String(connections));
  try {
    const figures: Figure[] = [];
    for (const limit of [1000, 100]) {
      progress(`  pages of ${limit}`);
      const walk = (walked: string, by: WalkJob['by']) => async () => {
        const seconds = options.isQuick ? 1 : 3;
        const headers = headersOf(hub);
        const outcome = await runLoad({ kind: 'walk', url: walked, headers, connections, seconds, limit, by, objects });
        return { ...outcome, count: outcome.count / limit };
      };
      const hubLoad = (node: typeof uncached, by: WalkJob['by']) => ({
        serverPid: node.pid,
        inspectorUrl: node.inspectorUrl,
        run: walk(`${node.collectionUrl('pages')}objects/`, by),
      });
      const samples = await interleave(
        bench,
        {
          ceiling: { serverPid: ceiling.pid, run: walk(`${ceiling.url}/`, 'added_after') },
          'by next': hubLoad(uncached, 'next'),
          'by added_after': hubLoad(uncached, 'added_after'),
          'by next, cached': hubLoad(hub, 'next'),
        },
        options.isQuick ? 3 : 7,
      );
      figures.push(
        ...compare({
          what: `pages of ${limit.toLocaleString('en')}`,
          unit: 'pages',
          cost: { of: 'object', each: limit },
          ceiling: samples.ceiling,
          hub: {
            'by next': { samples: samples['by next'], ofCeiling: 0.6 },
            'by added_after': { samples: samples['by added_after'], ofCeiling: 0.6 },
            'by next, cached': { samples: samples['by next, cached'] },
          },
        }),
      );
    }
    return figures;
  } finally {
    await ceiling.stop();
    await uncached.stop();
  }
}

/** The UUID behind an alias. */
export async function readCollectionId({ hub }: Bench, alias: string): Promise<string> {
  const reply = await send(hub.collectionUrl(alias), { headers: headersOf(hub) });
  return JSON.parse(reply.start).id;
}
