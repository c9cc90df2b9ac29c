export interface Distribution {
  n: number;
  min: number;
  p50: number;
  p90: number;
  max: number;
}

/**
 * Nearest-rank percentiles: every number shown was measured, none is interpolated.
 * @throws RangeError when there is nothing to summarize, or a value is not a number.
 */
export function summarize(values: readonly number[]): Distribution {
  if (values.length === 0) throw new RangeError('no measurements to summarize');
  if (values.some((value) => !Number.isFinite(value))) throw new RangeError('a measurement is not a number');
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (fraction: number): number => sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
  return { n: sorted.length, min: rank(0), p50: rank(0.5), p90: rank(0.9), max: rank(1) };
}
