import type { AuditEntry, EntryType } from '../../../functions/domain/audit-entry.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import { type Configuration, parseConfiguration } from '../../../functions/domain/configuration.ts';
import type { Caller, Experiment } from '../../../functions/domain/experiment.ts';
import { hashEntry } from '../../../functions/domain/hash-chain.ts';

export const CALLER: Caller = {
  arn: 'arn:aws:iam::111122223333:user/ana',
  accountId: '111122223333',
  sourceIp: '192.0.2.1',
};
export const EPOCH_MS = Date.parse('2026-05-29T13:12:00Z');
export const iso = (seconds: number) => new Date(EPOCH_MS + seconds * 1000).toISOString();

/** The mission's own example. */
export function seedPayload() {
  return {
    experimentId: 'exp_chaos_redis_019',
    targetService: 'redis-master',
    action: 'NETWORK_PARTITION',
    parameters: {
      latencyMs: 0,
      packetLossPct: 100,
      targetPartitionGroupA: ['redis-node-1', 'redis-node-2'],
      targetPartitionGroupB: ['redis-node-3'],
    },
    durationSeconds: 60,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  };
}

export function seedExperiment(experimentId = 'exp_chaos_redis_019'): Experiment {
  return {
    experimentId,
    faults: [
      {
        faultId: `${experimentId}.1`,
        name: '1',
        kind: 'NETWORK_PARTITION',
        cluster: 'redis-master',
        startSeconds: 0,
        impactedNodes: ['redis-node-3'],
        parameters: {
          kind: 'NETWORK_PARTITION',
          latencyMs: 0,
          packetLossPct: 100,
          targetPartitionGroupA: ['redis-node-1', 'redis-node-2'],
          targetPartitionGroupB: ['redis-node-3'],
          scope: 'isolate',
          direction: 'both',
        },
      },
    ],
    durationSeconds: 60,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  };
}

export function configuration(cluster: Record<string, unknown> = {}): Configuration {
  return parseConfiguration({
    clusters: {
      'redis-master': {
        engine: 'redis',
        tier: 'production',
        selectTags: { 'holdfast-cluster': 'redis-master' },
        unit: 'redis-server',
        port: 6379,
        dataDirectory: '/var/lib/redis',
        telemetry: { prometheusUrl: 'http://prometheus.example:9090' },
        alarms: [
          { name: 'orders-5xx', severity: 'CRITICAL' },
          { name: 'orders-slow', severity: 'WARNING' },
        ],
        ...cluster,
      },
    },
    network: { vpcId: 'vpc-1', subnetIds: ['subnet-1'], availabilityZones: ['eu-west-1a'], securityGroupId: 'sg-1' },
    apiPrincipals: ['arn:aws:iam::111122223333:root'],
  });
}

/** Time that passes only when somebody sleeps. */
export function fakeClock(startEpochMs = EPOCH_MS): Clock & { advance(milliseconds: number): void } {
  let elapsedMs = 0;
  return {
    nowEpochMs: () => startEpochMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: (milliseconds) => {
      elapsedMs += milliseconds;
    },
    sleep: async (milliseconds) => {
      elapsedMs += milliseconds;
    },
  };
}

/** A log with an unbroken chain, one entry a second. */
export function logOf(
  experimentId: string,
  ...entries: readonly (readonly [EntryType, Record<string, unknown>])[]
): AuditEntry[] {
  const log: AuditEntry[] = [];
  for (const [index, [type, details]] of entries.entries()) {
    const previousHash = log.at(-1)?.hash ?? '';
    const unhashed = { experimentId, sequence: index + 1, type, at: iso(index), actor: CALLER, details, previousHash };
    log.push({ ...unhashed, hash: hashEntry(unhashed) });
  }
  return log;
}

/** As `inject-fault` writes it, the parameters shortened. */
const injecting = {
  faultId: 'exp_chaos_redis_019.1',
  kind: 'NETWORK_PARTITION',
  node: 'redis-node-3',
  instanceId: 'i-3',
  parameters: { packetLossPct: '100', scope: 'isolate' },
  undo: [
    'let packets between the node and redis-node-1, redis-node-2 pass again, behind the fence',
    'let clients reach the store ports again, when the fence falls',
  ],
};

const reverted = {
  node: 'redis-node-3',
  instanceId: 'i-3',
  faultId: 'exp_chaos_redis_019.1',
  outcome: 'REVERTED',
  liftedAt: iso(62.9),
  leftovers: [],
};

/** The entries of a run that went as planned; each can be replaced or, with `undefined`, left out. */
export function fullRun(changes: Partial<Record<EntryType, Record<string, unknown> | undefined>> = {}): AuditEntry[] {
  const details: [EntryType, Record<string, unknown>][] = [
    ['ADMITTED', { experiment: seedExperiment(), facts: { clusters: [], targets: [] } }],
    [
      'STEADY_STATE_CONFIRMED',
      {
        baselines: {
          'redis-master': { readings: [], p99LatencyMs: 9.876, liveGateways: 2, requestsPerSecond: 900 },
        },
      },
    ],
    ['INJECTING', { commands: [injecting] }],
    [
      'INJECTED',
      {
        injectedAt: iso(3),
        rollbackScheduledAt: iso(63),
        injectedFaults: ['exp_chaos_redis_019.1'],
        nodes: [],
      },
    ],
    [
      'GUARD_STOPPED',
      { reason: 'TTL', detail: 'held', peakP99LatencyMs: { 'redis-master': 21.239 }, evaluations: 60, breaches: [] },
    ],
    ['ROLLING_BACK', { reason: 'TTL' }],
    ['ROLLED_BACK', { outcome: 'ROLLED_BACK', rolledBackAt: iso(63), nodes: [{ ...reverted, revertReason: 'TTL' }] }],
    ['RECOVERY_VERIFIED', { outcome: 'RECOVERED', verifiedAt: iso(70), problems: [] }],
    [
      'PROBE_MEASURED',
      {
        rtoSeconds: 6.5,
        stillFailing: false,
        attemptedWrites: 700,
        acknowledgedWrites: 640,
        lostAcknowledgedWrites: 0,
        failedWrites: 60,
        provenOnImpacted: true,
      },
    ],
  ];
  const kept = details.flatMap(([type, original]) => {
    const replaced = type in changes ? changes[type] : original;
    return replaced === undefined ? [] : [[type, replaced] as const];
  });
  const added = Object.entries(changes).flatMap(([type, value]) =>
    value === undefined || details.some(([known]) => known === type) ? [] : [[type as EntryType, value] as const],
  );
  return logOf('exp_chaos_redis_019', ...kept, ...added);
}

export function rolledBack(node: Record<string, unknown>, outcome = 'ROLLED_BACK'): Record<string, unknown> {
  return { outcome, rolledBackAt: iso(30), nodes: [{ ...reverted, ...node }] };
}
