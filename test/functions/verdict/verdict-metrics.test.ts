import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../functions/domain/workflow.ts';
import { type MetricSink, publishVerdict } from '../../../functions/verdict/verdict-metrics.ts';
import { experimentOf, faultWith } from '../domain/experiment-fixtures.ts';

const paused = faultWith({ kind: 'PROCESS_PAUSE', targetNodes: ['a'] });
const experiment = experimentOf([paused]);

function sent(verdict: Verdict, of = experiment): unknown[] {
  const calls: unknown[] = [];
  const sink = {
    addDimensions: (dimensions: unknown) => calls.push(dimensions),
    addMetric: (name: string, _unit: string, value: number) => calls.push([name, value]),
    publishStoredMetrics: () => calls.push('published'),
  };
  // Each gives back the whole library for the next call, which nobody makes here.
  publishVerdict(sink as unknown as MetricSink, of, verdict);
  return calls;
}

describe('publishVerdict', () => {
  it('sends no number for a budget that was not measured', () => {
    const budgets = [
      { name: 'rtoSeconds', limit: 15, met: false },
      { name: 'lostAcknowledgedWrites', limit: 0, measured: 3, met: false },
    ];
    expect(sent({ status: 'ABORTED', outcome: 'INCONCLUSIVE', budgets, reason: '' })).toEqual([
      { cluster: 'redis-master', faultKind: 'PROCESS_PAUSE', status: 'ABORTED' },
      ['experimentsConcluded', 1],
      ['lostAcknowledgedWrites', 3],
      'published',
    ]);
  });

  it('sends the budgets only for the cluster that the probe measured', () => {
    const several = experimentOf([paused, { ...paused, faultId: 'exp.2', cluster: 'redis-other' }]);
    const budgets = [{ name: 'rtoSeconds', limit: 15, measured: 4, met: true }];
    expect(sent({ status: 'COMPLETED', outcome: 'CONFIRMED', budgets, reason: '' }, several)).toEqual([
      { cluster: 'redis-master', faultKind: 'PROCESS_PAUSE', status: 'COMPLETED' },
      ['experimentsConcluded', 1],
      ['rtoSeconds', 4],
      'published',
      { cluster: 'redis-other', faultKind: 'PROCESS_PAUSE', status: 'COMPLETED' },
      ['experimentsConcluded', 1],
      'published',
    ]);
  });
});
