/** The value in the middle, or the mean of the two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * The smallest value that at least this share of the values does not exceed (nearest rank). NaN of none.
 * @param share above 0, up to 1: 0.99 for p99
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Each value by the one of the same repetition, so that what disturbed the machine then is in both.
 * @throws Error where one was measured more often than the other
 */
export function ratios(values: readonly number[], to: readonly number[]): number[] {
  if (values.length !== to.length) throw new Error(`${values.length} values cannot be compared with ${to.length}`);
  return values.map((value, n) => value / (to[n] as number));
}

/** How far values lie apart: the difference of the highest and the lowest, by the median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** In an order that no rhythm of garbage collection or of neighbours falls in with. */
export function shuffle<Value>(values: readonly Value[]): Value[] {
  return values
    .map(value => ({ value, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
