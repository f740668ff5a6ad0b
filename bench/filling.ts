import { post } from './client.ts';
import type { Figure } from './figures.ts';
import type { Bench } from './hub.ts';
import { envelope } from './indicators.ts';
import { postAll } from './taking.ts';

const perEnvelope = 1000;

/** Fills the large collection by POST over 4 connections: the rate in its first tenth and in its last. */
export async function measureFilling({ hub, objects, progress }: Bench): Promise<Figure[]> {
  const url = `${await hub.addCollection('large')}objects/`;
  const tenths: number[] = [];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const from = Math.floor((objects / perEnvelope) * (tenth / 10)) * perEnvelope;
    const to = Math.floor((objects / perEnvelope) * ((tenth + 1) / 10)) * perEnvelope;
    const start = performance.now();
    await postAll(envelopes(from, to), 4, body => post(hub, url, body));
    tenths.push(((to - from) * 1000) / (performance.now() - start));
    progress(`  ${to} of ${objects} objects, ${tenths.at(-1)?.toFixed()} /s`);
  }
  const name = (part: string) => `taken, ${part} tenth of ${objects.toLocaleString('en')}`;
  return [
    { name: name('first'), unit: 'objects/s', values: tenths.slice(0, 1) },
    { name: name('last'), unit: 'objects/s', values: tenths.slice(-1) },
  ];
}

// Made on the way: all at once they would take as much memory as the collection takes disk.
function* envelopes(from: number, to: number): Generator<Buffer> {
  for (let n = from; n < to; n += perEnvelope) yield envelope(n, perEnvelope);
}
