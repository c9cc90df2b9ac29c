import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { recordId, recordsOf } from '../../../functions/domain/records.ts';
import { experimentOf, fisFault, hostFault, planOf } from './experiment-fixtures.ts';
import { baselineOf, fullRun, type Given, iso, logOf, rolledBack } from './fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

describe("the mission's record", () => {
  it('has its columns, rounded to hundredths, for each fault that was injected', () => {
    expect(recordsOf('exp_chaos_redis_019', fullRun())).toEqual([
      {
        id: recordId('exp_chaos_redis_019', 'exp_chaos_redis_019.1'),
        experiment_id: 'exp_chaos_redis_019',
        target_cluster: 'redis-master',
        fault_type: 'NETWORK_PARTITION',
        injected_at: iso(3),
        rolled_back_at: iso(63),
        was_auto_rolled_back: false,
        baseline_latency_ms: 9.88,
        peak_latency_ms: 21.24,
        recovery_time_seconds: 6.5,
        data_loss_detected: false,
      },
    ]);
  });

  it('says null, not zero, for what was not measured', () => {
    const changes = {
      PROBE_MEASURED: undefined,
      GUARD_STOPPED: { reason: 'GUARDRAIL', peakP99LatencyMs: {} },
    } as const;
    expect(recordsOf('e', fullRun(changes))).toMatchObject([
      { recovery_time_seconds: null, data_loss_detected: null, peak_latency_ms: null, was_auto_rolled_back: true },
    ]);
  });

  it('calls a fault whose effect was gone rolled back by a machine', () => {
    const lost = { ROLLED_BACK: rolledBack({ revertReason: 'EFFECT_LOST', effectLostAt: iso(40) }) };
    expect(recordsOf('e', fullRun(lost))[0]?.was_auto_rolled_back).toBe(true);
  });

  it('calls a fault that ended unseen rolled back by a machine, and one that never was applied not', () => {
    const vanished = { ROLLED_BACK: rolledBack({ outcome: 'NOTHING_TO_REVERT' }) };
    expect(recordsOf('e', fullRun(vanished))[0]?.was_auto_rolled_back).toBe(true);
    const refused = fullRun({ ...vanished, INJECTED: undefined, GUARD_STOPPED: { reason: 'ABORT' } });
    expect(recordsOf('e', refused)[0]?.was_auto_rolled_back).toBe(false);
  });

  it('has a row for an injection of which nobody knows whether it happened, and none without one', () => {
    expect(recordsOf('e', fullRun({ INJECTED: undefined }))[0]?.injected_at).toBe(iso(2));
    expect(recordsOf('e', fullRun({ INJECTING: undefined, INJECTED: undefined }))).toEqual([]);
  });

  it('has the same UUID each time, and another for another fault', () => {
    expect(recordId('e', 'e.1')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(recordId('e', 'e.1')).toBe(recordId('e', 'e.1'));
    expect(recordId('e', 'e.2')).not.toBe(recordId('e', 'e.1'));
  });
});

describe("the mission's records of several faults", () => {
  const faults = [hostFault(1, 0), fisFault(2, 20), hostFault(3, 0, 'redis-other')] as const;
  const [first, inFis, other] = faults;
  const resolved = (faultId: string, ...shards: string[]) => ({
    ...{
      faultId,
      impacted: [targetNode(1, { roles: shards.map((shard) => roleIn(shard)) })],
      peers: [],
      shardMembers: [],
    },
  });
  const measured = (change: object): Given => ['PROBE_MEASURED', { observedUntil: iso(65), ...change }];
  const logWith = (shards: [first: string[], inFis: string[], other: string[]], ...measurements: Given[]) => {
    const targets = faults.map(({ faultId }, index) => resolved(faultId, ...(shards[index] ?? [])));
    const latencies = {
      'redis-master': baselineOf({ p99LatencyMs: 10 }),
      'redis-other': baselineOf({ p99LatencyMs: 20 }),
    };
    const confirmed = (confirmedAt: string, ...injectedFaults: string[]) => ({ confirmedAt, injectedFaults });
    return logOf(
      'exp',
      ['ADMITTED', { experiment: experimentOf([...faults]) }],
      ['STEADY_STATE_CONFIRMED', { baselines: latencies }],
      ['TARGETS_RESOLVED', { targets: { faults: targets, exemptAddresses: {} } }],
      ['INJECTING', planOf([first, other])],
      ['INJECTED', confirmed(iso(3), first.faultId, other.faultId)],
      ['INJECTING', planOf([inFis])],
      ['INJECTED', confirmed(iso(25), first.faultId, other.faultId, inFis.faultId)],
      ['GUARD_STOPPED', { peakP99LatencyMs: { 'redis-master': 30, 'redis-other': 40 } }],
      ['ROLLED_BACK'],
      ['RECOVERY_VERIFIED', {}, 60],
      ...measurements,
    );
  };
  const log = logWith([['shard-1'], ['shard-2'], ['shard-1']], measured({}));

  it('have one row each, with the time of its own batch and the latencies of its own cluster', () => {
    const rows = recordsOf('exp', log);
    expect(rows.map(({ fault_type, injected_at }) => [fault_type, injected_at])).toEqual([
      ['CPU_SPIKE', iso(3)],
      ['INSTANCE_STOP', iso(25)],
      ['CPU_SPIKE', iso(3)],
    ]);
    expect(rows.map(({ baseline_latency_ms, peak_latency_ms }) => [baseline_latency_ms, peak_latency_ms])).toEqual([
      [10, 30],
      [10, 30],
      [20, 40],
    ]);
  });

  const clientsOf = (entries: AuditEntry[]) =>
    recordsOf('exp', entries).map((row) => [row.recovery_time_seconds, row.data_loss_detected]);

  it('claim nothing of a shard or a cluster that was not measured', () => {
    expect(clientsOf(log)).toEqual([
      [6.5, false],
      [null, null],
      [null, null],
    ]);
  });

  it('say of each fault the worst of its own shards', () => {
    const shards: [string[], string[], string[]] = [['shard-1'], ['shard-2', 'shard-1'], ['shard-1']];
    const two = measured({ shard: 'shard-2', rtoSeconds: 2, lostAcknowledgedWrites: 3 });
    expect(clientsOf(logWith(shards, measured({}), two))).toEqual([
      [6.5, false],
      [6.5, true],
      [null, null],
    ]);
    const other = measured({ cluster: 'redis-other', rtoSeconds: 1 });
    expect(clientsOf(logWith(shards, measured({}), other))).toEqual([
      [6.5, false],
      [null, null],
      [1, false],
    ]);
  });

  it('claim nothing when the probe did not see the recovery', () => {
    expect(clientsOf(logWith([['shard-1'], [], []], measured({ observedUntil: iso(59) })))[0]).toEqual([null, null]);
  });

  it('have no row for a fault that was never announced', () => {
    expect(recordsOf('exp', log.slice(0, 5)).map(({ target_cluster }) => target_cluster)).toEqual([
      'redis-master',
      'redis-other',
    ]);
  });
});
