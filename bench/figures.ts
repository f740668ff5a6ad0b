/** One thing that was measured, as often as it was. */
export interface Figure {
  name: string;
  unit: string;
  /** one value a repetition; NaN where this machine cannot tell */
  values: number[];
  target?: { atLeast: number } | { atMost: number };
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A figure as the results file has it. */
export function toRecord(figure: Figure) {
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
export function toTable(figures: Figure[]): string {
  const rows = figures.map(figure => {
    const { name, unit, values, median, min, max, verdict } = toRecord(figure);
    const spread = values.length > 1 ? `${format(min)} – ${format(max)} (${values.length})` : '';
    return [name, `${format(median)} ${unit}`, spread, verdict];
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
  return `${sign} ${format(bound)}: ${isReached ? 'reached' : 'NOT REACHED'}`;
}

function format(value: number): string {
  if (Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
