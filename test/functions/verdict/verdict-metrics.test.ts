import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../functions/domain/workflow.ts';
import type { MetricSink } from '../../../functions/runtime/metrics.ts';
import { publishVerdict } from '../../../functions/verdict/verdict-metrics.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';
import { logOf } from '../domain/fixtures.ts';

const paused = faultWith({ kind: 'PROCESS_PAUSE', targetNodes: ['a'] });
const experiment = experimentOf([paused]);
const { cluster } = paused;

function sent(verdict: Verdict, of = experiment): unknown[] {
  const calls: unknown[] = [];
  const sink = {
    addDimensions: (dimensions: unknown) => calls.push(dimensions),
    addMetric: (name: string, _unit: string, value: number) => calls.push([name, value]),
    publishStoredMetrics: () => calls.push('published'),
  };
  // Each gives back the whole library for the next call, which nobody makes here.
  publishVerdict(sink as unknown as MetricSink, of, verdict, logOf('exp', ['ROLLING_BACK'], ['ROLLED_BACK', {}, 4]));
  return calls;
}

describe('publishVerdict', () => {
  it('sends no number for a budget that was not measured', () => {
    const budgets = [
      { cluster, name: 'rtoSeconds' as const, limit: 15, met: false },
      { cluster, name: 'unavailableSeconds' as const, limit: 30, measured: 8, met: true },
      { cluster, name: 'lostAcknowledgedWrites' as const, limit: 0, measured: 3, met: false },
    ];
    expect(sent({ status: 'ABORTED', outcome: 'INCONCLUSIVE', budgets, reason: '' })).toEqual([
      { cluster: 'redis-master', faultKind: 'PROCESS_PAUSE', status: 'ABORTED', outcome: 'INCONCLUSIVE' },
      ['experimentsConcluded', 1],
      ['rollbackSeconds', 4],
      ['unavailableSeconds', 8],
      ['lostAcknowledgedWrites', 3],
      'published',
    ]);
  });

  it('sends for each cluster what was measured there', () => {
    const several = experimentOf([paused, { ...paused, faultId: 'exp.2', cluster: 'redis-other' }]);
    const budgets = [{ cluster, name: 'rtoSeconds' as const, limit: 15, measured: 4, met: true }];
    expect(sent({ status: 'COMPLETED', outcome: 'CONFIRMED', budgets, reason: '' }, several)).toEqual([
      { cluster: 'redis-master', faultKind: 'PROCESS_PAUSE', status: 'COMPLETED', outcome: 'CONFIRMED' },
      ['experimentsConcluded', 1],
      ['rollbackSeconds', 4],
      ['rtoSeconds', 4],
      'published',
      { cluster: 'redis-other', faultKind: 'PROCESS_PAUSE', status: 'COMPLETED', outcome: 'CONFIRMED' },
      ['experimentsConcluded', 1],
      ['rollbackSeconds', 4],
      'published',
    ]);
  });
});
