import type { RawReading } from './guardrails.ts';

/**
 * What was sampled when. A value that a query gives at some second may rest on a sample of long before, so each counts for
 * the second in which its newest sample was taken, and for no other.
 * @param readings what the query gave at each of some whole seconds, by milliseconds since the epoch, in their order
 * @returns one value a second from `fromSecond` to the last sample; null where none was taken, or it was no number
 */
export function samplesOf(readings: ReadonlyMap<number, RawReading>, fromSecond: number): (number | null)[] {
  const values: (number | null)[] = [];
  for (const [atMs, { value = Number.NaN, ageSeconds = Number.NaN, problem }] of readings) {
    const index = Math.floor(atMs / 1000 - ageSeconds) - fromSecond;
    if (problem !== undefined || !Number.isFinite(value) || !(index >= 0) || typeof values[index] === 'number')
      continue;
    while (values.length <= index) values.push(null);
    values[index] = value;
  }
  return values;
}

/**
 * The value at a second: that of its own sample, else of the nearest one that is less than `gapSeconds` away and still
 * between `from` and `until`. Before and after that the world was another one.
 */
export function valueNear(
  { values, fromSecond, gapSeconds }: { values: readonly (number | null)[]; fromSecond: number; gapSeconds: number },
  second: number,
  { from, until }: { from: number; until: number },
): number | null {
  const sampled = (at: number) => (at < from || at > until ? null : (values[at - fromSecond] ?? null));
  for (let away = 0; away < gapSeconds; away++) {
    const value = sampled(second - away) ?? sampled(second + away);
    if (value !== null) return value;
  }
  return null;
}
