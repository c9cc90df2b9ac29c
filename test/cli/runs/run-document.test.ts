import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../../cli/api-documents.ts';
import { askedOf, differencesBetween } from '../../../cli/compare/differences.ts';
import { summary } from '../../../cli/run-experiment.ts';
import { measuresOf } from '../../../cli/runs/measures.ts';
import { counts, runSchema } from '../../../cli/runs/run-document.ts';
import { getExperiment } from '../../../functions/api/get-experiment.ts';
import type { CheckVerdict } from '../../../functions/domain/workflow.ts';
import { fullRun, iso } from '../../functions/domain/fixtures.ts';
import { SimulatedClock } from '../../functions/domain/simulated-clock.ts';
import { memoryAuditLog } from '../../functions/tables/memory-audit-log.ts';

const lag: CheckVerdict = {
  ...{ name: 'lag', cluster: 'redis-master', measure: 'max(lag)', when: 'THROUGHOUT', unit: 'ms' },
  ...{ tolerance: { atMost: 100 }, result: 'FAILED', measured: 180, failedSeconds: 4 },
};
const latency = { count: 9, p50: 1, p90: 2, p99: 12, max: 30, failed: 1 };

/** As it goes over the wire. */
async function documentOfApi(): Promise<unknown> {
  const budgets = [{ cluster: 'redis-master', name: 'rtoSeconds' as const, limit: 15, measured: 6.5, met: true }];
  const entries = fullRun({
    CONCLUDED: { outcome: 'DEVIATED', budgets, checks: [lag] },
    PROBE_MEASURED: {
      staleReads: 2,
      latency: { writeMs: latency, readMs: { ...latency, failed: 3 } },
      phases: [{ phase: 'ELECTED', at: iso(7), secondsAfterFault: 4, event: '+switch-master', uncertaintyMs: 100 }],
    },
  });
  const dependencies = {
    audit: memoryAuditLog({ entries }),
    leases: { read: async () => undefined },
    clock: new SimulatedClock(),
  };
  const { body } = await getExperiment(entries[0]?.experimentId ?? '', dependencies);
  return JSON.parse(JSON.stringify(body));
}

describe('the document of the API', () => {
  test('is read with all that it measured', async () => {
    const run = runSchema.parse(await documentOfApi());
    expect(counts(run)).toBe(true);
    expect(Object.fromEntries(measuresOf(run).map(({ name, value }) => [name, value]))).toMatchObject({
      ...{ rtoSeconds: 6.5, staleReads: 2, failedReads: 3, electedSeconds: 4, writeP99Ms: 12, readMaxMs: 30 },
      'check lag': 180,
    });
    expect(measuresOf(run).every(({ unit }) => unit !== '')).toBe(true);
  });

  test('says what was asked, without the names of the nodes', async () => {
    const asked = Object.fromEntries(askedOf(runSchema.parse(await documentOfApi())));
    expect(asked).toMatchObject({
      ...{ clusters: 'redis-master', faults: 'NETWORK_PARTITION', targets: 'master of shard-1', durationSeconds: '60' },
      ...{
        targetPartitionGroupA: 'replica of shard-1, replica of shard-1',
        targetPartitionGroupB: 'master of shard-1',
      },
      'check lag': 'max(lag) at most 100 ms, THROUGHOUT',
    });
  });

  test('says nothing else than that of --json', async () => {
    const body = await documentOfApi();
    const [read, written] = [body, JSON.parse(JSON.stringify(summary(experimentSchema.parse(body))))].map((document) =>
      runSchema.parse(document),
    );
    if (!read || !written) throw new Error('there are two documents');
    expect(measuresOf(written)).toEqual(measuresOf(read));
    expect(differencesBetween([read], [written])).toEqual([]);
    expect(askedOf(written).size).toBeGreaterThan(4);
    expect(written.checks).toEqual(read.checks);
    // An empty list, too, is an answer.
    expect(written.findings).toEqual(read.findings);
    expect(read.findings).toEqual([]);
  });
});
