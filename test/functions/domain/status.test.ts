import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { Fault } from '../../../functions/domain/experiment.ts';
import { stateOf, statusDocument } from '../../../functions/domain/status.ts';
import type { Reading } from '../../../functions/domain/workflow.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { experimentOf, faultWith, planOf, SEED_FAULT, seedExperiment } from './experiment-fixtures.ts';
import {
  type Changes,
  command,
  detailsOf,
  EPOCH_MS,
  fullRun,
  type Given,
  iso,
  logAfter,
  logOf,
  reading,
  reverted,
  rolledBack,
  runUntil,
} from './fixtures.ts';
import { checkOf, expectedAlert, hypothesisOf } from './hypothesis-fixtures.ts';

const errors = (value: number, changes: Changes<Reading> = {}) => reading('errorRatePct', { value, ...changes });
const latency = (value: number | undefined, changes: Changes<Reading> = {}) =>
  reading('p99WriteLatencyMs', { value, ...changes });
const lease = (change: Partial<Lease> = {}) =>
  leaseOf({ readings: [errors(0.04), latency(14.2)], evaluatedAt: iso(27), ...change });
const document = (entries: ReturnType<typeof fullRun>, row: Lease | undefined, seconds: number) =>
  statusDocument('exp_chaos_redis_019', entries, row, EPOCH_MS + seconds * 1000);

describe('the status document', () => {
  it("is the mission's while the fault holds", () => {
    const { guardrails, outcome, checks: _, ...seed } = document(runUntil('INJECTED'), lease(), 27);
    expect(seed).toEqual({
      experimentId: 'exp_chaos_redis_019',
      status: 'RUNNING',
      elapsedSeconds: 24,
      remainingSeconds: 36,
      safetyMetrics: { currentErrorRatePct: 0.04, currentP99LatencyMs: 14.2, safetyChecksStatus: 'PASSING' },
      impactedNodes: [{ podName: 'redis-node-3', instanceId: 'i-3', faultState: 'ISOLATED' }],
    });
    expect(outcome).toBeNull();
    expect(guardrails[0]?.ageSeconds).toBe(0.5);
  });

  it('does not call old readings passing: a dead guard is unknown', () => {
    const stale = document(runUntil('INJECTED'), lease(), 31);
    expect(stale.safetyMetrics.safetyChecksStatus).toBe('UNKNOWN');
    expect(stale.guardrails[0]?.ageSeconds).toBe(4.5);
    expect(document(runUntil('INJECTED'), undefined, 27).safetyMetrics.safetyChecksStatus).toBe('UNKNOWN');
  });

  it('says BREACHED when the guard stopped for a breach', () => {
    const entries = fullRun({ GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [errors(2, { breached: true })] } });
    expect(document(entries, lease({ state: 'RELEASED' }), 40).safetyMetrics.safetyChecksStatus).toBe('BREACHED');
  });

  it('says ROLLING_BACK as soon as the lease is released, before anything is in the log', () => {
    const status = document(runUntil('INJECTED'), lease({ state: 'RELEASED' }), 27);
    expect(status).toMatchObject({ status: 'ROLLING_BACK', remainingSeconds: 0 });
    expect(status.impactedNodes[0]?.faultState).toBe('REVERTING');
  });

  it('knows no injection time before the injection', () => {
    const status = document(runUntil('STEADY_STATE_CONFIRMED'), lease(), 1);
    expect(status).toMatchObject({ status: 'ACCEPTED', elapsedSeconds: 0, remainingSeconds: 60 });
    expect(status.impactedNodes[0]?.faultState).toBe('PENDING');
  });

  it('knows no instance of a node that was not resolved', () => {
    const { facts } = detailsOf('ADMITTED');
    const [row] = document(logOf('exp', ['ADMITTED', { facts: { ...facts, targets: [] } }]), lease(), 1).impactedNodes;
    expect(row).toMatchObject({ podName: 'redis-node-3', instanceId: null });
  });

  it('shows a node whose rollback failed as unknown, not as reverted', () => {
    const failed = fullRun({ ROLLED_BACK: rolledBack({ outcome: 'FAILED' }) });
    expect(document(failed, undefined, 80).impactedNodes[0]?.faultState).toBe('UNKNOWN');
    expect(document(fullRun(), undefined, 80).impactedNodes[0]?.faultState).toBe('REVERTED');
  });

  it('takes status and outcome from the conclusion', () => {
    const concluded = fullRun({ CONCLUDED: {} });
    expect(stateOf(concluded, lease({ state: 'RELEASED' }))).toMatchObject({
      status: 'COMPLETED',
      outcome: 'CONFIRMED',
    });
    expect(document(concluded, undefined, 900)).toMatchObject({ elapsedSeconds: 60, remainingSeconds: 0 });
  });

  describe('of several faults', () => {
    const [first, second, third] = [
      SEED_FAULT,
      faultWith(
        { kind: 'CPU_SPIKE', targetNodes: ['redis-node-3'], cores: 1, loadPct: 50 },
        { number: 2, startSeconds: 20 },
      ),
      faultWith({ kind: 'INSTANCE_STOP', targetNodes: ['redis-node-3'] }, { number: 3 }),
    ];
    const admitted: Given = ['ADMITTED', { experiment: experimentOf([first, second, third]) }];
    const batch = (...faults: Fault[]): Given => {
      const { services } = planOf(faults);
      const onHosts = faults.filter(({ faultId }) => services.every((service) => service.faultId !== faultId));
      return ['INJECTING', { commands: onHosts.map(({ faultId }) => command({ faultId })), services }];
    };
    const injected = (...faults: Fault[]): Given => [
      'INJECTED',
      { injectedFaults: faults.map(({ faultId }) => faultId), nextFaultAt: iso(23) },
    ];
    const states = (entries: AuditEntry[], row?: Lease) =>
      document(entries, row, 27).impactedNodes.map(({ faultState }) => faultState);

    it('has a row for each fault, and calls none active that was not confirmed', () => {
      const began = logOf('exp', admitted, batch(first, third));
      expect(states(began, lease())).toEqual(['INJECTING', 'PENDING', 'INJECTING']);
      const confirmed = logOf('exp', admitted, batch(first, third), injected(first, third));
      expect(states(confirmed, lease())).toEqual(['ISOLATED', 'PENDING', 'STOPPED']);
      const next = logOf('exp', admitted, batch(first), injected(first), batch(second));
      expect(states(next, lease())).toEqual(['ISOLATED', 'INJECTING', 'PENDING']);
    });

    it('calls an announced fault unknown when its end is not known, and one that was never announced not applied', () => {
      const running = { faultId: third.faultId, fisExperimentId: 'EXP1', state: 'running', outcome: 'FAILED' as const };
      const log = logOf(
        'exp',
        admitted,
        batch(first, third),
        injected(first, third),
        ['ROLLBACK_FAILED', { nodes: [reverted()], services: [running] }],
        ['CONCLUDED', { status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE' }],
      );
      expect(states(log)).toEqual(['REVERTED', 'NOT_APPLIED', 'UNKNOWN']);
    });
  });

  it('shows the worst cluster, and nothing where one of them cannot be read', () => {
    const cluster = 'redis-other';
    const readings = [errors(0.04), latency(14.2), errors(0.4, { cluster }), latency(undefined, { cluster })];
    const { safetyMetrics } = document(runUntil('INJECTED'), lease({ readings }), 27);
    expect(safetyMetrics).toMatchObject({ currentErrorRatePct: 0.4, currentP99LatencyMs: null });
  });
});

describe('the checks of a running experiment', () => {
  const [lag, loss] = [checkOf(), checkOf({ name: 'loss', when: 'HAPPENS', withinSeconds: 5 })];
  const admitted = { ADMITTED: { experiment: { ...seedExperiment(), hypothesis: hypothesisOf(lag, loss) } } };

  it('are as they were last seen, and pending before anybody looked', () => {
    const log = logAfter(
      fullRun({ ...admitted, ROLLING_BACK: undefined, CONCLUDED: undefined }).slice(0, 6),
      ['CHECK_CHANGED', { check: 'lag', state: 'HOLDS', value: 20 }, 10],
      ['CHECK_CHANGED', { check: 'lag', state: 'FAILS', value: 300 }, 12],
    );
    expect(statusDocument('exp_chaos_redis_019', log, undefined, EPOCH_MS).checks).toEqual([
      {
        ...{ name: 'lag', cluster: 'redis-master', measure: 'max(lag_ms)', when: 'THROUGHOUT' },
        ...{ tolerance: { atMost: 100 }, unit: 'ms', state: 'FAILS', value: 300, since: iso(12) },
      },
      expect.objectContaining({ name: 'loss', withinSeconds: 5, state: 'PENDING' }),
    ]);
  });

  it('hold for an expected alert from its arrival on', () => {
    const experiment = { ...seedExperiment(), hypothesis: hypothesisOf(expectedAlert('orders-5xx')) };
    const checksOf = (log: AuditEntry[]) => statusDocument('exp_chaos_redis_019', log, undefined, EPOCH_MS).checks;
    const log = runUntil('INJECTED', { ADMITTED: { experiment } });
    expect(checksOf(log)).toMatchObject([{ name: 'orders-5xx', state: 'PENDING' }]);
    const arrived = checksOf(logAfter(log, ['ALARM_ARRIVED', {}, 20]));
    expect(arrived).toMatchObject([{ state: 'HOLDS', since: iso(20) }]);
  });

  it('are none without a hypothesis', () => {
    expect(statusDocument('exp_chaos_redis_019', fullRun(), undefined, EPOCH_MS).checks).toEqual([]);
  });
});
