import { describe, expect, it } from 'vitest';
import { judgeBudgets } from '../../../functions/domain/budgets.ts';
import { recordId, recordsOf } from '../../../functions/domain/records.ts';
import { judge } from '../../../functions/domain/verdict.ts';
import { experimentOf, fisFault, hostFault } from '../inject/fixtures.ts';
import { fullRun, iso, logOf, rolledBack } from './fixtures.ts';

const limits = { rtoSeconds: 15, lostAcknowledgedWrites: 0 };
const probe = {
  rtoSeconds: 6.5,
  stillFailing: false,
  attemptedWrites: 9,
  acknowledgedWrites: 9,
  lostAcknowledgedWrites: 0,
  failedWrites: 0,
  provenOnImpacted: true,
};
const verdictOf = (changes: Parameters<typeof fullRun>[0] = {}) => {
  const { status, outcome } = judge(fullRun(changes), limits);
  return `${status} ${outcome}`;
};
const injection = { injectedAt: iso(3), rollbackScheduledAt: iso(63), nodes: [] };
const applied = { ...injection, injectedFaults: ['exp_chaos_redis_019.1'], confirmedAt: iso(3) };
const host = { faultId: 'exp_chaos_redis_019.1', instanceId: 'i-3' };
const breach = {
  guardrail: 'errorRatePct',
  value: 2,
  limit: 0.5,
  breachWhen: 'above',
  ageSeconds: 1,
  maxAgeSeconds: 3,
  breached: true,
};

describe('the verdict', () => {
  it.each([
    ['confirms a run that met every budget', {}, 'COMPLETED CONFIRMED'],
    [
      'finds a deviation when recovery took too long',
      { PROBE_MEASURED: { ...probe, rtoSeconds: 15.1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'confirms nothing when the fence fell before the store knew its master',
      { ROLLED_BACK: rolledBack({ revertReason: 'TTL', fence: { outcome: 'DEADLINE' } }) },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'finds a deviation when an acknowledged write was lost',
      { PROBE_MEASURED: { ...probe, lostAcknowledgedWrites: 1 } },
      'COMPLETED DEVIATED',
    ],
    [
      'finds a deviation when the client never recovered',
      { PROBE_MEASURED: { ...probe, stillFailing: true } },
      'COMPLETED DEVIATED',
    ],
    ['confirms nothing without a measurement', { PROBE_MEASURED: undefined }, 'COMPLETED INCONCLUSIVE'],
    [
      'confirms nothing when losses could not be counted',
      { PROBE_MEASURED: { ...probe, lostAcknowledgedWrites: undefined } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'confirms nothing when the probe did not write to the impacted nodes before the fault',
      { PROBE_MEASURED: { ...probe, provenOnImpacted: false } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'says nothing of the system when the probe failed from the beginning',
      { PROBE_MEASURED: { ...probe, provenOnImpacted: false, stillFailing: true } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'escalates a rollback that failed',
      { ROLLED_BACK: undefined, ROLLBACK_FAILED: rolledBack({ outcome: 'FAILED' }, 'ROLLBACK_FAILED') },
      'ROLLBACK_FAILED INCONCLUSIVE',
    ],
    [
      'escalates leftovers although the rollback says it succeeded',
      { ROLLED_BACK: rolledBack({ leftovers: ['-A HOLDFAST'] }) },
      'ROLLBACK_FAILED INCONCLUSIVE',
    ],
    ['escalates a rollback that is not in the log', { ROLLED_BACK: undefined }, 'ROLLBACK_FAILED INCONCLUSIVE'],
    [
      'escalates a store that did not recover',
      { RECOVERY_VERIFIED: undefined, RECOVERY_FAILED: { problems: ['no master'] } },
      'ROLLBACK_FAILED DEVIATED',
    ],
    [
      'says nothing when a host lost its lease',
      { ROLLED_BACK: rolledBack({ revertReason: 'LEASE_LOST' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a watchdog died',
      { ROLLED_BACK: rolledBack({ revertReason: 'WATCHDOG_DIED' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the TTL of a host ran out clearly before the common end',
      { ROLLED_BACK: rolledBack({ revertReason: 'TTL', liftedAt: iso(60.9) }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'lets a host end as much before the others as its answer took',
      { ROLLED_BACK: rolledBack({ revertReason: 'TTL', liftedAt: iso(61) }) },
      'COMPLETED CONFIRMED',
    ],
    [
      'leaves a host the time of the application out of its TTL, which counts from the beginning',
      {
        INJECTED: { ...applied, nodes: [{ ...host, appliedAt: iso(2.9) }] },
        ROLLED_BACK: rolledBack({ revertReason: 'TTL', liftedAt: iso(58.4) }),
      },
      'COMPLETED CONFIRMED',
    ],
    [
      'says nothing when a host had the fault long before the last one of its turn answered',
      {
        INJECTED: { ...applied, nodes: [{ ...host, appliedAt: iso(-1) }] },
        ROLLED_BACK: rolledBack({ revertReason: 'TTL', liftedAt: iso(58.4) }),
      },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when nobody knows at what time a TTL ran out',
      { ROLLED_BACK: rolledBack({ revertReason: 'TTL', liftedAt: undefined }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a host no longer knew the fault',
      { ROLLED_BACK: rolledBack({ outcome: 'NOTHING_TO_REVERT' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when the rollback asked no host',
      { ROLLED_BACK: { outcome: 'ROLLED_BACK', nodes: [] } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'says nothing when a worker that carried the fault died',
      { ROLLED_BACK: rolledBack({ revertReason: 'WORKER_DIED' }) },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'confirms nothing when a later fault came too late',
      { INJECTED: { ...injection, injectedFaults: [] }, INJECTION_SKIPPED: { reason: 'too late' } },
      'COMPLETED INCONCLUSIVE',
    ],
    [
      'confirms nothing when a later fault was not confirmed',
      { INJECTION_FAILED: { reason: 'refused' } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'finds a deviation when a guardrail was crossed',
      { GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [breach] } },
      'ABORTED DEVIATED',
    ],
    [
      'says nothing when the guard went blind',
      { GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [{ ...breach, value: undefined }] } },
      'ABORTED INCONCLUSIVE',
    ],
    ['says nothing when the guard left no report', { GUARD_STOPPED: undefined }, 'ABORTED INCONCLUSIVE'],
    ['calls a run that a person ended aborted', { GUARD_STOPPED: { reason: 'ABORT' } }, 'ABORTED INCONCLUSIVE'],
    [
      'calls an injection that failed aborted',
      { INJECTED: undefined, INJECTION_FAILED: { reason: 'refused' } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'calls a run that the kill switch ended before the injection aborted',
      { INJECTING: undefined, INJECTED: undefined, ROLLING_BACK: { reason: 'KILL_SWITCH' } },
      'ABORTED INCONCLUSIVE',
    ],
    [
      'calls a run that injected nothing refused',
      { INJECTING: undefined, INJECTED: undefined, ROLLING_BACK: { reason: 'ROLLBACK', detail: 'SteadyStateNotMet' } },
      'REFUSED INCONCLUSIVE',
    ],
  ])('%s', (_name, changes, expected) => {
    expect(verdictOf(changes)).toBe(expected);
  });

  it('does not meet a budget that was not measured', () => {
    expect(judgeBudgets(limits, undefined)).toEqual([
      { name: 'rtoSeconds', limit: 15, met: false },
      { name: 'lostAcknowledgedWrites', limit: 0, met: false },
    ]);
    expect(judgeBudgets(limits, { ...probe, acknowledgedWrites: 0 })[1]?.met).toBe(false);
    for (const budget of judgeBudgets(limits, { ...probe, provenOnImpacted: false })) {
      expect(budget).toMatchObject({ met: false });
      expect(budget).not.toHaveProperty('measured');
    }
  });
});

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
    const [row] = recordsOf('e', fullRun({ PROBE_MEASURED: undefined, GUARD_STOPPED: { reason: 'GUARDRAIL' } }));
    expect(row).toMatchObject({
      recovery_time_seconds: null,
      data_loss_detected: null,
      peak_latency_ms: null,
      was_auto_rolled_back: true,
    });
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

/** A host fault at once, and one in the service; both announced and confirmed. */
const service = { faultId: 'exp.2', fisExperimentId: 'EXP1', state: 'stopped', outcome: 'REVERTED', endedAt: iso(63) };
function several(services: Record<string, unknown>[], changes: Parameters<typeof fullRun>[0] = {}) {
  const faults = [hostFault(1, 0), fisFault(2, 20)];
  return fullRun({
    ADMITTED: { experiment: experimentOf(faults), facts: {} },
    INJECTING: { commands: [{ faultId: 'exp.1' }], services: [{ faultId: 'exp.2' }] },
    INJECTED: { ...injection, injectedFaults: ['exp.1', 'exp.2'] },
    ROLLED_BACK: { ...rolledBack({ faultId: 'exp.1', revertReason: 'LEASE_RELEASED' }), services },
    ...changes,
  });
}
const verdictOfSeveral = (...given: Parameters<typeof several>) => {
  const { status, outcome, reason } = judge(several(...given), limits);
  return `${status} ${outcome}: ${reason}`;
};

describe('the verdict over several faults', () => {
  it('confirms a run whose faults all held to the end, on the host and in the service', () => {
    expect(verdictOfSeveral([service])).toMatch(/^COMPLETED CONFIRMED/);
    expect(verdictOfSeveral([{ ...service, state: 'completed', endedAt: iso(5) }])).toMatch(/^COMPLETED CONFIRMED/);
  });

  it.each([
    ['the service gave it up', { ...service, state: 'failed' }],
    ['the service never began it', { ...service, state: 'cancelled' }],
    ['an alarm stopped it before the rollback', { ...service, endedAt: iso(4) }],
  ])('says nothing when %s', (_what, given) => {
    expect(verdictOfSeveral([given])).toMatch(/^ABORTED INCONCLUSIVE: exp\.2: \w+ by the service/);
  });

  it('says nothing when the rollback found nothing of one of the faults', () => {
    expect(verdictOfSeveral([])).toMatch(/^ABORTED INCONCLUSIVE: the rollback found nothing .* exp\.2/);
  });

  it('escalates a fault that is still in the service', () => {
    const left = { ...service, state: 'running', outcome: 'FAILED', detail: 'not stopped' };
    expect(verdictOfSeveral([left])).toBe('ROLLBACK_FAILED INCONCLUSIVE: exp.2: not stopped');
  });

  it('names the faults that were never injected', () => {
    const INJECTED = { ...injection, injectedFaults: ['exp.1'] };
    const INJECTING = { commands: [{ faultId: 'exp.1' }], services: [] };
    const INJECTION_SKIPPED = { faults: ['exp.2'], reason: 'less than a second was left' };
    expect(verdictOfSeveral([], { INJECTING, INJECTED, INJECTION_SKIPPED })).toBe(
      'COMPLETED INCONCLUSIVE: not injected: fault 2 (less than a second was left)',
    );
  });

  it('takes no word from a host to which nothing was ever sent', () => {
    const ROLLED_BACK = rolledBack({ faultId: 'exp.1', revertReason: 'LEASE_RELEASED' });
    const idle = { node: 'n', instanceId: 'i', faultId: 'exp.9', outcome: 'NOTHING_TO_REVERT', leftovers: [] };
    const nodes = [...(ROLLED_BACK.nodes as unknown[]), idle];
    expect(verdictOfSeveral([service], { ROLLED_BACK: { ...ROLLED_BACK, nodes, services: [service] } })).toMatch(
      /^COMPLETED CONFIRMED/,
    );
  });
});

describe("the mission's records of several faults", () => {
  const experiment = experimentOf([hostFault(1, 0), fisFault(2, 20), hostFault(3, 0, 'redis-other')]);
  const on = (shard: string) => [{ shard }];
  const log = logOf(
    'exp',
    ['ADMITTED', { experiment, facts: {} }],
    [
      'STEADY_STATE_CONFIRMED',
      { baselines: { 'redis-master': { p99LatencyMs: 10 }, 'redis-other': { p99LatencyMs: 20 } } },
    ],
    [
      'TARGETS_RESOLVED',
      {
        targets: {
          faults: [
            { faultId: 'exp.1', impacted: on('shard-1') },
            { faultId: 'exp.2', impacted: on('shard-2') },
            { faultId: 'exp.3', impacted: on('shard-1') },
          ],
        },
      },
    ],
    ['INJECTING', { commands: [{ faultId: 'exp.1' }, { faultId: 'exp.3' }], services: [] }],
    ['INJECTED', { ...injection, confirmedAt: iso(3), injectedFaults: ['exp.1', 'exp.3'] }],
    ['INJECTING', { commands: [], services: [{ faultId: 'exp.2' }] }],
    ['INJECTED', { ...injection, confirmedAt: iso(25), injectedFaults: ['exp.1', 'exp.3', 'exp.2'] }],
    ['GUARD_STOPPED', { reason: 'TTL', peakP99LatencyMs: { 'redis-master': 30, 'redis-other': 40 } }],
    ['PROBE_MEASURED', probe],
  );

  it('have one row each, with the time of its own turn and the latencies of its own cluster', () => {
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

  it('claim no recovery time for a shard or a cluster that the probe did not write to', () => {
    expect(recordsOf('exp', log).map((row) => [row.recovery_time_seconds, row.data_loss_detected])).toEqual([
      [6.5, false],
      [null, null],
      [null, null],
    ]);
  });

  it('have no row for a fault that was never announced', () => {
    expect(recordsOf('exp', log.slice(0, 5)).map(({ target_cluster }) => target_cluster)).toEqual([
      'redis-master',
      'redis-other',
    ]);
  });
});
