import { headersOf, runLoad } from './client.ts';
import type { BenchHub } from './hub.ts';

const perEnvelope = 1000;
const envelopesEach = 50;

/**
 * Posts new objects over 4 connections until the collection holds so many.
 * @param range multiples of 1,000; the objects are numbered from `from` on
 * @returns how many a second it took, for each 50,000
 */
export async function fill(
  hub: BenchHub,
  url: string,
  range: { from: number; to: number },
  progress: (message: string) => void,
): Promise<number[]> {
  const rates: number[] = [];
  for (let from = range.from; from < range.to; from += perEnvelope * envelopesEach) {
    const envelopes = Math.min(envelopesEach, (range.to - from) / perEnvelope);
    const job = {
      kind: 'post',
      url,
      headers: headersOf(hub),
      connections: 4,
      envelopes,
      objectsEach: perEnvelope,
      from,
    } as const;
    const { count, seconds } = await runLoad(job);
    rates.push(count / seconds);
    progress(`  ${from + count} of ${range.to} objects, ${rates.at(-1)?.toFixed()} /s`);
  }
  return rates;
}
