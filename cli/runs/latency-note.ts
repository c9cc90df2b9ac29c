import { MAX_LATENCY_MS } from '../../functions/domain/measures.ts';
import type { Distribution } from '../statistics/distribution.ts';

/** What a reader of these must know where operations failed; nothing otherwise. */
export function latencyNote(shown: readonly { unit: string; distribution: Pick<Distribution, 'max'> }[]): string[] {
  const isReached = shown.some(({ unit, distribution }) => unit === 'ms' && distribution.max >= MAX_LATENCY_MS);
  return isReached ? [`${MAX_LATENCY_MS} ms stands for operations that failed or took longer.`] : [];
}
