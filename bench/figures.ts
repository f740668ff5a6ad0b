import { median } from './statistics.ts';

/** One thing that was measured, as often as it was. */
export interface Figure {
  name: string;
  unit: string;
  /** one value a repetition; NaN where this machine cannot tell */
  values: number[];
  target?: { atLeast: number } | { atMost: number };
  /** the title of the chart that shows it, beside the other figures of that title */
  chart?: string;
}

/** A figure as the results file has it. */
export interface FigureRecord extends Figure {
  median: number;
  min: number;
  max: number;
  /** '' without a target */
  verdict: string;
}

/** What the results file has of a figure. */
export function toRecord(figure: Figure): FigureRecord {
  const { values } = figure;
  return {
    ...figure,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    verdict: judge(figure),
  };
}

/** Figures as a table of Markdown. */
export function toTable(figures: readonly FigureRecord[]): string {
  const rows = figures.map(({ name, unit, values, median, min, max, verdict }) => {
    const spread = values.length > 1 ? `${formatNumber(min)} – ${formatNumber(max)} (${values.length})` : '';
    return [name, `${formatNumber(median)} ${unit}`, spread, verdict];
  });
  const table = [['What', 'Median', 'Lowest – highest (repetitions)', 'Target'], ...rows];
  const widths = [0, 1, 2, 3].map(column => Math.max(...table.map(cells => cells[column]?.length ?? 0)));
  const lines = table.map(cells => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  return [lines[0], `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`, ...lines.slice(1)].join('\n');
}

function judge({ values, target }: Figure): string {
  if (!target) return '';
  const value = median(values);
  if (Number.isNaN(value)) return 'not measured';
  const [isReached, sign, bound] =
    'atLeast' in target ? [value >= target.atLeast, '≥', target.atLeast] : [value <= target.atMost, '≤', target.atMost];
  return `${sign} ${formatNumber(bound)}: ${isReached ? 'reached' : 'NOT REACHED'}`;
}

/** Three digits, or as many as the number has before its point. A record that went through JSON has null for NaN. */
export function formatNumber(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
