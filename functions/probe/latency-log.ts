import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { LatencyLog } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import { MAX_LATENCY_MS } from '../domain/measures.ts';
import { latencyMs, type TimedOperation } from '../domain/open-loop.ts';
import type { Observed } from './observed.ts';

/** Of a recorded value three digits are right. */
const SIGNIFICANT_DIGITS = 3;

/** The latency of writes, of reads and of consumed records in each second in which any were due, from the first one on. */
export function latencyLogs(
  name: Pick<LatencyLog, 'cluster' | 'shard' | 'invocation'>,
  { writes, reads, consumes }: Pick<Observed, 'writes' | 'reads' | 'consumes'>,
  clock: Clock,
): LatencyLog[] {
  const epochOffsetMs = clock.nowEpochMs() - clock.monotonicMs();
  const histogram = build({
    ...{ bitBucketSize: 32, numberOfSignificantValueDigits: SIGNIFICANT_DIGITS, useWebAssembly: false },
    highestTrackableValue: MAX_LATENCY_MS * 1000,
  });
  const logOf = (operation: LatencyLog['operation'], operations: readonly TimedOperation[]): LatencyLog[] => {
    const secondOf = ({ dueMs }: TimedOperation) => Math.floor((dueMs + epochOffsetMs) / 1000);
    const [first, last] = [operations[0], operations.at(-1)];
    if (!first || !last) return [];
    const fromSecond = secondOf(first);
    const inSecond: TimedOperation[][] = Array.from({ length: secondOf(last) - fromSecond + 1 }, () => []);
    for (const each of operations) inSecond[secondOf(each) - fromSecond]?.push(each);
    return [
      {
        ...name,
        ...{ operation, fromSecond },
        histograms: inSecond.map((due) => encoded(histogram, due)),
        failed: inSecond.map((due) => due.filter(({ ok }) => !ok).length),
      },
    ];
  };
  return [...logOf('write', writes), ...logOf('read', reads), ...logOf('consume', consumes)];
}

function encoded(histogram: Histogram, due: readonly TimedOperation[]): string {
  histogram.reset();
  for (const each of due) if (each.ok) histogram.recordValue(Math.round(latencyMs(each) * 1000));
  return histogram.totalCount === 0 ? '' : encodeIntoCompressedBase64(histogram);
}
