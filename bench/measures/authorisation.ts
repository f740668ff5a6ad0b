import { headersOf, repeat } from '../client.ts';
import type { Figure } from '../figures.ts';
import { fill } from '../filling.ts';
import { type Bench, startServer } from '../hub.ts';
import { interleave } from '../interleave.ts';
import { ratios } from '../statistics.ts';

const path = '/hub/collections/asked/objects/?limit=100';

/**
 * What it costs that the hub knows who asks: pages of 100 from the hub, and the same pages by the same route without
 * authentication, grants and limits, in turn.
 */
export async function measureAuthorisation(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const url = await hub.addCollection('asked');
  await fill(hub, `${url}objects/`, { from: 0, to: 10_000 }, progress);
  const open = await startServer(hub, new URL('../ceilings/unauthorised.ts', import.meta.url));
  const ask = (base: string) => () =>
    repeat(`${base}${path}`, { headers: headersOf(hub), connections: 4, seconds: options.isQuick ? 1 : 4 });
  try {
    const { known, unknown } = await interleave(
      bench,
      {
        known: { serverPid: hub.pid, inspectorUrl: hub.inspectorUrl, run: ask(hub.url) },
        unknown: { serverPid: open.pid, run: ask(open.url) },
      },
      options.isQuick ? 3 : 7,
    );
    const values = ratios(known.perSecond, unknown.perSecond);
    return [
      { name: 'page of 100, the hub', unit: 'requests/s', values: known.perSecond },
      { name: 'page of 100, asking nobody', unit: 'requests/s', values: unknown.perSecond },
      { name: 'page of 100, the hub / asking nobody', unit: '×', values, target: { atLeast: 0.9 } },
    ];
  } finally {
    await open.stop();
  }
}
