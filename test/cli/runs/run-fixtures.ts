import type { RunDocument } from '../../../cli/runs/run-document.ts';

const node = (name: string, role: string) => ({ name, shard: 'shard-1', role });

/** A partition of the master of shard-1 as the API shows it, RTO and unavailability `rto` seconds. */
export function runOf(experimentId: string, rto: number | undefined, changes: Partial<RunDocument> = {}): RunDocument {
  const parameters = {
    kind: 'NETWORK_PARTITION',
    packetLossPct: 100,
    targetPartitionGroupA: ['node-1', 'node-2'],
    targetPartitionGroupB: ['node-3'],
  };
  const fault = { faultId: `${experimentId}.1`, kind: 'NETWORK_PARTITION', cluster: 'redis', parameters };
  const budget = (name: string, limit: number, measured: number | undefined) => ({
    cluster: 'redis',
    name,
    limit,
    ...(measured === undefined ? { met: false } : { measured, met: measured <= limit }),
  });
  return {
    experimentId,
    status: 'COMPLETED',
    outcome: 'CONFIRMED',
    reason: 'every budget was met',
    experiment: { faults: [{ ...fault, startSeconds: 0, impactedNodes: ['node-3'] }], durationSeconds: 20 },
    targets: [
      {
        faultId: `${experimentId}.1`,
        impacted: [node('node-3', 'master')],
        peers: [{ name: 'node-1' }, { name: 'node-2' }],
        shardMembers: [node('node-1', 'slave'), node('node-2', 'slave'), node('node-3', 'master')],
      },
    ],
    budgets: [
      budget('rtoSeconds', 15, rto),
      budget('unavailableSeconds', 30, rto),
      budget('lostAcknowledgedWrites', 0, 0),
    ],
    probes: [
      {
        ...{ cluster: 'redis', shard: 'shard-1', acknowledgedWrites: 1000, failedWrites: 9 },
        ...{ stillFailing: false, largestGapSeconds: 0.1 },
      },
    ],
    record: [{ target_cluster: 'redis', baseline_latency_ms: 2.5, peak_latency_ms: 40 }],
    ...changes,
  };
}
