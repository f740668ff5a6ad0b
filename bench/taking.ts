import { post } from './client.ts';
import type { Figure } from './figures.ts';
import type { Bench } from './hub.ts';
import { envelope } from './indicators.ts';

const perEnvelope = 1000;
const target = { atLeast: 5000 };

/** Indicators taken a second in envelopes of 1,000, each acknowledged after its commit. */
export async function measureTaking({ hub, isQuick, progress }: Bench): Promise<Figure[]> {
  const url = `${await hub.addCollection('taking')}objects/`;
  const repetitions = isQuick ? 3 : 7;
  const envelopesEach = isQuick ? 8 : 24;
  let made = 0;
  const makeEnvelopes = (count: number) =>
    Array.from({ length: count }, () => envelope(perEnvelope * made++, perEnvelope));
  const rate = async (connections: number) => {
    const envelopes = makeEnvelopes(envelopesEach);
    const start = performance.now();
    await postAll(envelopes, connections, body => post(hub, url, body));
    return (envelopesEach * perEnvelope * 1000) / (performance.now() - start);
  };

  await postAll(makeEnvelopes(8), 4, body => post(hub, url, body));
  const one: number[] = [];
  const four: number[] = [];
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    one.push(await rate(1));
    four.push(await rate(4));
    progress(`  repetition ${repetition} of ${repetitions}: ${one.at(-1)?.toFixed()} and ${four.at(-1)?.toFixed()} /s`);
  }
  return [
    { name: 'taken, 1 connection', unit: 'objects/s', values: one, target },
    { name: 'taken, 4 connections', unit: 'objects/s', values: four, target },
  ];
}

/** Sends the bodies over so many connections, the next one as soon as one is free. */
export async function postAll(
  bodies: Iterable<Buffer>,
  connections: number,
  send: (body: Buffer) => Promise<unknown>,
): Promise<void> {
  const queue = bodies[Symbol.iterator]();
  const work = async () => {
    for (let body = queue.next(); !body.done; body = queue.next()) await send(body.value);
  };
  await Promise.all(Array.from({ length: connections }, work));
}
