import { followNext, requestsPerSecond } from './client.ts';
import type { Figure } from './figures.ts';
import type { Bench } from './hub.ts';

const connections = 4;

/** Objects handed out a second: to one client that follows `next`, and to several that ask for one page. */
export async function measureHandingOut({ hub, objects, isQuick, progress }: Bench): Promise<Figure[]> {
  const url = `${hub.collectionUrl('large')}objects/`;
  const repetitions = isQuick ? 3 : 7;
  const seconds = isQuick ? 2 : 8;
  const pageOf = (limit: number) => `${url}?limit=${limit}`;

  const following = async (limit: number, pages: number) => {
    const start = performance.now();
    let page = 0;
    for await (const _ of followNext(hub, pageOf(limit))) if (++page === pages) break;
    return (page * limit * 1000) / (performance.now() - start);
  };
  const answering = async (limit: number) =>
    limit * (await requestsPerSecond(hub, pageOf(limit), { connections, seconds }));
  const measured: (Figure & { measure: () => Promise<number> })[] = [
    {
      name: 'handed out, pages of 1,000, following next',
      measure: () => following(1000, Math.min(objects / 1000, 200)),
      target: { atLeast: 40_000 },
    },
    {
      name: `handed out, one page of 1,000, ${connections} connections`,
      measure: () => answering(1000),
      target: { atLeast: 40_000 },
    },
    { name: 'handed out, pages of 100, following next', measure: () => following(100, Math.min(objects / 100, 500)) },
    { name: `handed out, one page of 100, ${connections} connections`, measure: () => answering(100) },
  ].map(figure => ({ ...figure, unit: 'objects/s', values: [] }));

  for (const { measure } of measured) await measure();
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const { measure, values } of measured) values.push(await measure());
    const rates = measured.map(({ values }) => values.at(-1)?.toFixed());
    progress(`  repetition ${repetition} of ${repetitions}: ${rates.join(', ')} /s`);
  }
  return measured.map(({ measure: _, ...figure }) => figure);
}
