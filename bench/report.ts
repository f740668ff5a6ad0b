import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { drawBars } from './chart.ts';
import { type FigureRecord, toTable } from './figures.ts';
import { describeNoise, type Noise } from './machine.ts';

/** What stands in the results file. */
export interface Results {
  date: string;
  options: { isQuick: boolean; isLarge: boolean; objects: number };
  machine: { text: string };
  measurements: {
    name: string;
    idleShareBefore: number;
    seconds: number;
    noise: Noise[];
    figures: FigureRecord[];
    failure?: string;
  }[];
}

const readme = new URL('README.md', import.meta.url);
const charts = new URL('charts/', import.meta.url);
const published = new URL('results/published.json', import.meta.url);
const begin = '<!-- results: npm run bench -- --report writes what follows -->';
const end = '<!-- end of results -->';

/** Puts results into README.md between its marks, draws their charts, and keeps the file that they come from beside them. */
export async function writeReport(resultsFile: URL): Promise<void> {
  const results: Results = JSON.parse(await readFile(resultsFile, 'utf8'));
  await rm(charts, { recursive: true, force: true });
  await mkdir(charts);
  for (const { file, svg } of drawCharts(results)) await writeFile(new URL(file, charts), svg);
  await writeFile(readme, putBetween(await readFile(readme, 'utf8'), toMarkdown(results)));
  await copyFile(resultsFile, published);
}

/** @throws Error where the marks are missing */
export function putBetween(text: string, results: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error('README.md has no marks for the results.');
  return `${text.slice(0, from + begin.length)}\n\n${results}\n${text.slice(to)}`;
}

/** A section for each measurement: what its charts show, its table, and how noisy the machine was. */
export function toMarkdown(results: Results): string {
  const { date, options, machine, measurements } = results;
  const size = options.objects.toLocaleString('en');
  const run = options.isQuick ? 'A quick run, which proves little' : options.isLarge ? 'A large run' : 'A run';
  const head = `${run}, ${date.slice(0, 10)}, with ${size} objects in the large collection. ${machine.text}`;
  const sections = measurements.map(({ name, idleShareBefore, seconds, noise, figures, failure }) => {
    const images = groupByChart(figures).map(([title]) => `![${title}](charts/${fileOf(name, title)})\n`);
    const busy = `${Math.round(idleShareBefore * 100)} % idle before; took ${Math.round(seconds)} s. ${describeNoise(noise)}`;
    const body = failure === undefined ? `${images.join('\n')}\n${toTable(figures)}` : `Failed: ${failure}`;
    return `### ${name}\n\n${body}\n\n${busy.trim()}\n`;
  });
  return [head, '', ...sections].join('\n');
}

function drawCharts({ measurements }: Results): { file: string; svg: string }[] {
  return measurements.flatMap(({ name, figures }) =>
    groupByChart(figures).map(([title, members]) => ({ file: fileOf(name, title), svg: drawBars(title, members) })),
  );
}

/** A chart of fewer than two bars says nothing. */
function groupByChart(figures: readonly FigureRecord[]): [string, FigureRecord[]][] {
  const groups = new Map<string, FigureRecord[]>();
  for (const figure of figures) {
    if (figure.chart && figure.median !== null) groups.set(figure.chart, [...(groups.get(figure.chart) ?? []), figure]);
  }
  return [...groups].filter(([, members]) => members.length > 1);
}

const fileOf = (measurement: string, title: string) =>
  `${measurement}-${title}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .concat('.svg');
