import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { headersOf } from '../client.ts';
import type { Figure } from '../figures.ts';
import { fill } from '../filling.ts';
import type { Bench } from '../hub.ts';
import { readPeakMb } from '../processes.ts';

const autocannon = fileURLToPath(import.meta.resolve('autocannon'));
const connections = 200;

/** The most memory that a hub takes while 200 clients ask for pages of 10,000 objects at once, again and again. */
export async function measureMemory({ hub, options, progress }: Bench): Promise<Figure[]> {
  const url = await hub.addCollection('pages-of-10000');
  await fill(hub, `${url}objects/`, { from: 0, to: 20_000 }, progress);
  const peaks: number[] = [];
  const pages: number[] = [];
  const refused: number[] = [];
  for (let repetition = 1; repetition <= (options.isQuick ? 1 : 3); repetition += 1) {
    // A new process each time, since the mark only rises; it would log each refusal.
    const node = await hub.addNode({ LOG_LEVEL: 'fatal' });
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...[autocannon, '--json', '--no-progress', '--timeout', '60', '--connections', String(connections)],
        ...['--duration', options.isQuick ? '5' : '15'],
        ...Object.entries(headersOf(hub)).flatMap(([name, value]) => ['--headers', `${name}: ${value}`]),
        `${node.collectionUrl('pages-of-10000')}objects/?limit=10000`,
      ]);
      const result = JSON.parse(stdout);
      peaks.push(await readPeakMb(node.pid));
      pages.push(result['2xx'] / result.duration);
      refused.push(result['5xx'] / result.duration);
      progress(`  ${repetition}: ${peaks.at(-1)?.toFixed()} MB, ${result['2xx']} pages, ${result['5xx']} refusals`);
    } finally {
      await node.stop();
    }
  }
  const name = '200 clients that ask for pages of 10,000';
  return [
    { name: `${name}, hub's peak memory`, unit: 'MB', values: peaks, target: { atMost: 500 } },
    { name: `${name}, pages`, unit: 'pages/s', values: pages },
    { name: `${name}, refused for the time being (503)`, unit: 'requests/s', values: refused },
  ];
}
