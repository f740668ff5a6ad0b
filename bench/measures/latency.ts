import { setTimeout as sleep } from 'node:timers/promises';
import { headersOf, sampleDuring, send } from '../client.ts';
import type { Figure } from '../figures.ts';
import type { Bench } from '../hub.ts';
import { envelope } from '../indicators.ts';
import { quantile } from '../statistics.ts';

const everyMs = 5;
const bytesMax = 32 * 1024 * 1024;

/** How long polls take while an envelope of 32 MiB comes in, is judged and stored; and while nothing else happens. */
export async function measureLatency({ hub, options, progress }: Bench): Promise<Figure[]> {
  const writtenUrl = `${await hub.addCollection('judged')}objects/`;
  const polledUrl = `${await hub.addCollection('polled')}objects/`;
  const headers = headersOf(hub);
  await send(polledUrl, { method: 'POST', headers, body: envelope(0, 1000) });
  const page = await send(`${polledUrl}?limit=1000`, { headers });
  const polls = { url: `${polledUrl}?added_after=${page.headers['x-taxii-date-added-last']}`, headers, everyMs };
  // Just below the limit, also where their numbers have more digits.
  const perEnvelope = Math.floor((bytesMax / envelope(1e6, 1000).length) * 995);
  const times = { quiet: [] as number[][], judging: [] as number[][] };
  const posts: number[] = [];
  for (let repetition = 0; repetition <= (options.isQuick ? 2 : 5); repetition += 1) {
    const body = envelope(repetition * perEnvelope, perEnvelope);
    if (body.length > bytesMax) throw new Error(`${body.length} bytes are too many for one envelope`);
    const quiet = await sampleDuring(polls, () => sleep(2000));
    const judging = await sampleDuring(polls, async () => {
      const { ms } = await send(writtenUrl, { method: 'POST', headers, body });
      if (repetition > 0) posts.push(ms / 1000);
    });
    if (repetition === 0) continue; // warming up
    times.quiet.push(quiet);
    times.judging.push(judging);
    progress(`  ${repetition}: ${judging.length} polls, p99 ${quantile(judging, 0.99).toFixed(1)} ms`);
  }
  const describe = (name: string, samples: number[][], target?: Figure['target']): Figure[] => [
    {
      name: `${name}, p50`,
      unit: 'ms',
      values: samples.map(ms => quantile(ms, 0.5)),
      chart: 'time of an empty poll: ms',
    },
    {
      name: `${name}, p99`,
      unit: 'ms',
      values: samples.map(ms => quantile(ms, 0.99)),
      chart: 'time of an empty poll: ms',
      ...(target && { target }),
    },
    { name: `${name}, longest`, unit: 'ms', values: samples.map(ms => Math.max(...ms)) },
  ];
  return [
    ...describe('empty poll, nothing else', times.quiet),
    ...describe('empty poll, while 32 MiB are judged', times.judging, { atMost: 20 }),
    { name: `32 MiB, ${perEnvelope.toLocaleString('en')} objects, meanwhile`, unit: 's', values: posts },
  ];
}
