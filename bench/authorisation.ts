import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { requestsPerSecond } from './client.ts';
import type { Figure } from './figures.ts';
import { type Bench, findFreePort, waitUntilAnswers } from './hub.ts';

const connections = 4;
const objects = 100;
const unauthorised = fileURLToPath(new URL('unauthorised.ts', import.meta.url));

/**
 * What it costs that the hub knows who asks: pages of 100 from the hub, and the same pages by the same route without
 * authentication, grants and limits, in turn.
 */
export async function measureAuthorisation({ hub, isQuick, progress }: Bench): Promise<Figure[]> {
  const seconds = isQuick ? 2 : 6;
  const repetitions = isQuick ? 3 : 9;
  const port = await findFreePort();
  const path = `hub/collections/large/objects/?limit=${objects}`;
  const openUrl = `http://127.0.0.1:${port}/${path}`;
  const open = spawn(process.execPath, ['--import', 'tsx', unauthorised, String(port)], {
    env: hub.env,
    stdio: ['ignore', 2, 2],
  });
  try {
    await waitUntilAnswers(open, openUrl);
    const rate = (url: string) => requestsPerSecond(hub, url, { connections, seconds });
    const hubUrl = `${hub.collectionUrl('large')}objects/?limit=${objects}`;
    const figures = [
      { name: `page of ${objects}, the hub`, unit: 'requests/s', values: [] as number[] },
      { name: `page of ${objects}, asking nobody`, unit: 'requests/s', values: [] as number[] },
      {
        name: `page of ${objects}, the hub / asking nobody`,
        unit: '×',
        values: [] as number[],
        target: { atLeast: 0.9 },
      },
    ] as const;
    await rate(hubUrl);
    await rate(openUrl);
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      const [known, unknown] = [await rate(hubUrl), await rate(openUrl)];
      figures[0].values.push(known);
      figures[1].values.push(unknown);
      figures[2].values.push(known / unknown);
      progress(`  repetition ${repetition} of ${repetitions}: ${known.toFixed()} and ${unknown.toFixed()} /s`);
    }
    return [...figures];
  } finally {
    await stop(open);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
