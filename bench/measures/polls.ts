import { headersOf, repeat, send } from '../client.ts';
import type { Figure } from '../figures.ts';
import { fill } from '../filling.ts';
import { type Bench, startServer } from '../hub.ts';
import { compare, interleave } from '../interleave.ts';

const connections = 32;

/** Polls that bring nothing, for there is nothing new or the page is still what the client has, beside a bare route. */
export async function measurePolls(bench: Bench): Promise<Figure[]> {
  const { hub, options, progress } = bench;
  const url = `${await hub.addCollection('polls')}objects/`;
  await fill(hub, url, { from: 0, to: 10_000 }, progress);
  const headers = headersOf(hub);
  const page = await send(`${url}?limit=10000`, { headers });
  const nothing = `${url}?added_after=${page.headers['x-taxii-date-added-last']}`;
  const { start: body } = await send(nothing, { headers });
  const ceiling = await startServer(hub, new URL('../ceilings/poll.ts', import.meta.url), body);
  const ask = (asked: string, more: Record<string, string> = {}) => {
    const load = { headers: { ...headers, ...more }, connections, seconds: options.isQuick ? 1 : 2 };
    return () => repeat(asked, load);
  };
  const server = { serverPid: hub.pid, inspectorUrl: hub.inspectorUrl };
  const hundred = `${url}?limit=100`;
  const { etag } = (await send(hundred, { headers })).headers;
  try {
    const samples = await interleave(
      bench,
      {
        ceiling: { serverPid: ceiling.pid, run: ask(`${ceiling.url}/`) },
        'nothing new': { ...server, run: ask(nothing) },
        'not modified': etag ? { ...server, run: ask(hundred, { 'if-none-match': etag }) } : undefined,
      },
      // What a poll takes on this kind of machine doubles and halves within seconds, so that many short ones tell more.
      options.isQuick ? 3 : 21,
    );
    const notModified = samples['not modified'];
    return compare({
      what: 'polls',
      unit: 'polls',
      cost: { of: 'poll', each: 1 },
      ceiling: samples.ceiling,
      hub: {
        'nothing new': { samples: samples['nothing new'], ofCeiling: 0.6 },
        ...(notModified && { 'not modified (304)': { samples: notModified } }),
      },
    });
  } finally {
    await ceiling.stop();
  }
}
