import { type FigureRecord, formatNumber } from './figures.ts';

const width = 820;
const labelWidth = 330;
const valueWidth = 110;
const rowHeight = 24;
const titleHeight = 40;
const barWidthMax = width - labelWidth - valueWidth;

/**
 * Bars from left to right as SVG: the medians, a line from the lowest to the highest value over each, and a dashed line at
 * the target that they have in common.
 * @param figures of one unit, at least one
 */
export function drawBars(title: string, figures: readonly FigureRecord[]): string {
  const target = commonTarget(figures);
  const highest = Math.max(...figures.map(({ max }) => max), target ?? 0);
  const scale = (value: number) => (value / highest) * barWidthMax;
  const height = titleHeight + figures.length * rowHeight + 16;
  const rows = figures.map((figure, n) => drawRow(figure, titleHeight + n * rowHeight, scale));
  const goal =
    target === undefined
      ? ''
      : `<line class="target" x1="${x(scale(target))}" x2="${x(scale(target))}" y1="${titleHeight - 4}" y2="${height - 8}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escapeText(title)}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 15px; }
.bar { fill: #4c78a8; }
.spread { stroke: #24292f; stroke-width: 1.5; }
.target { stroke: #c4322b; stroke-width: 1.5; stroke-dasharray: 4 3; }
</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text class="title" x="12" y="24">${escapeText(title)}</text>
${rows.join('\n')}
${goal}
</svg>
`;
}

function drawRow({ name, unit, median, min, max }: FigureRecord, y: number, scale: (value: number) => number): string {
  const middle = y + rowHeight / 2;
  return [
    `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${escapeText(name)}</text>`,
    `<rect class="bar" x="${labelWidth}" y="${y + 4}" width="${round(scale(median))}" height="${rowHeight - 8}"/>`,
    `<line class="spread" x1="${x(scale(min))}" x2="${x(scale(max))}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${x(scale(max) + 8)}" y="${middle + 4}">${escapeText(`${formatNumber(median)} ${unit}`)}</text>`,
  ].join('\n');
}

function commonTarget(figures: readonly FigureRecord[]): number | undefined {
  const targets = new Set(figures.flatMap(({ target }) => (target ? Object.values(target) : [])));
  return targets.size === 1 ? [...targets][0] : undefined;
}

const round = (value: number) => Math.round(value * 10) / 10;
const x = (offset: number) => round(labelWidth + offset);
const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
