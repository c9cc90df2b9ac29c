import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../functions/experiment/experiment.ts';
import type { Verdict } from '../../../functions/experiment/workflow.ts';
import { type MetricSink, publishVerdict } from '../../../functions/verdict/verdict-metrics.ts';

const experiment: Experiment = {
  experimentId: 'exp',
  faults: [
    {
      faultId: 'exp.1',
      kind: 'PROCESS_PAUSE',
      cluster: 'redis-master',
      impactedNodes: ['a'],
      parameters: { kind: 'PROCESS_PAUSE' },
    },
  ],
  durationSeconds: 60,
  safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
};

function sent(verdict: Verdict): unknown[] {
  const calls: unknown[] = [];
  const sink = {
    addDimensions: (dimensions: unknown) => calls.push(dimensions),
    addMetric: (name: string, _unit: string, value: number) => calls.push([name, value]),
    publishStoredMetrics: () => calls.push('published'),
  };
  publishVerdict(sink as unknown as MetricSink, experiment, verdict);
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
});
