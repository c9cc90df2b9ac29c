import { describe, expect, it } from 'vitest';
import { stateOf, statusDocument } from '../../../functions/domain/status.ts';
import type { Reading } from '../../../functions/domain/workflow.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { EPOCH_MS, fullRun, iso, logOf, rolledBack, seedExperiment } from './fixtures.ts';

const reading = (guardrail: string, value: number): Reading => ({
  guardrail,
  cluster: 'redis-master',
  value,
  limit: 200,
  breachWhen: 'above',
  unit: '',
  ageSeconds: 0.5,
  maxAgeSeconds: 3,
  breached: false,
});
const lease = (change: Partial<Lease> = {}): Lease => ({
  leaseId: 'exp_chaos_redis_019',
  state: 'HOLD',
  beat: 20,
  grants: [],
  readings: [reading('errorRatePct', 0.04), reading('p99WriteLatencyMs', 14.2)],
  evaluatedAt: iso(27),
  ...change,
});
const upTo = (type: string) => {
  const entries = fullRun();
  return entries.slice(0, entries.findIndex((entry) => entry.type === type) + 1);
};
const document = (entries: ReturnType<typeof fullRun>, row: Lease | undefined, seconds: number) =>
  statusDocument('exp_chaos_redis_019', entries, row, EPOCH_MS + seconds * 1000);

describe('the status document', () => {
  it("is the mission's while the fault holds", () => {
    const { guardrails, outcome, ...seed } = document(upTo('INJECTED'), lease(), 27);
    expect(seed).toEqual({
      experimentId: 'exp_chaos_redis_019',
      status: 'RUNNING',
      elapsedSeconds: 24,
      remainingSeconds: 36,
      safetyMetrics: { currentErrorRatePct: 0.04, currentP99LatencyMs: 14.2, safetyChecksStatus: 'PASSING' },
      impactedNodes: [{ podName: 'redis-node-3', instanceId: null, faultState: 'ISOLATED' }],
    });
    expect(outcome).toBeNull();
    expect(guardrails[0]?.ageSeconds).toBe(0.5);
  });

  it('does not call old readings passing: a dead guard is unknown', () => {
    const stale = document(upTo('INJECTED'), lease(), 31);
    expect(stale.safetyMetrics.safetyChecksStatus).toBe('UNKNOWN');
    expect(stale.guardrails[0]?.ageSeconds).toBe(4.5);
    expect(document(upTo('INJECTED'), undefined, 27).safetyMetrics.safetyChecksStatus).toBe('UNKNOWN');
  });

  it('says BREACHED when the guard stopped for a breach', () => {
    const entries = fullRun({ GUARD_STOPPED: { reason: 'GUARDRAIL', breaches: [reading('errorRatePct', 2)] } });
    expect(document(entries, lease({ state: 'RELEASED' }), 40).safetyMetrics.safetyChecksStatus).toBe('BREACHED');
  });

  it('says ROLLING_BACK as soon as the lease is released, before anything is in the log', () => {
    const status = document(upTo('INJECTED'), lease({ state: 'RELEASED' }), 27);
    expect(status).toMatchObject({ status: 'ROLLING_BACK', remainingSeconds: 0 });
    expect(status.impactedNodes[0]?.faultState).toBe('REVERTING');
  });

  it('knows no injection time before the injection', () => {
    const status = document(upTo('STEADY_STATE_CONFIRMED'), lease(), 1);
    expect(status).toMatchObject({ status: 'ACCEPTED', elapsedSeconds: 0, remainingSeconds: 60 });
    expect(status.impactedNodes[0]?.faultState).toBe('PENDING');
  });

  it('shows a node whose rollback failed as unknown, not as reverted', () => {
    const failed = fullRun({ ROLLED_BACK: rolledBack({ outcome: 'FAILED' }) });
    expect(document(failed, undefined, 80).impactedNodes[0]?.faultState).toBe('UNKNOWN');
    expect(document(fullRun(), undefined, 80).impactedNodes[0]?.faultState).toBe('REVERTED');
  });

  it('takes status and outcome from the conclusion', () => {
    const verdict = { status: 'COMPLETED', outcome: 'CONFIRMED', budgets: [], reason: 'met' };
    const concluded = fullRun({ CONCLUDED: verdict });
    expect(stateOf(concluded, lease({ state: 'RELEASED' }))).toMatchObject({
      status: 'COMPLETED',
      outcome: 'CONFIRMED',
    });
    expect(document(concluded, undefined, 900)).toMatchObject({ elapsedSeconds: 60, remainingSeconds: 0 });
  });

  describe('of several faults', () => {
    const [first] = seedExperiment().faults;
    if (!first) throw new Error('no fault');
    const second = {
      ...first,
      faultId: 'exp_chaos_redis_019.2',
      name: '2',
      kind: 'CPU_SPIKE' as const,
      startSeconds: 20,
    };
    const third = { ...first, faultId: 'exp_chaos_redis_019.3', name: '3', kind: 'INSTANCE_STOP' as const };
    const experiment = { ...seedExperiment(), faults: [first, second, third] };
    const admitted = ['ADMITTED', { experiment, facts: { targets: [] } }] as const;
    const turn = (commands: string[], services: string[]) =>
      [
        'INJECTING',
        { commands: commands.map((faultId) => ({ faultId })), services: services.map((faultId) => ({ faultId })) },
      ] as const;
    const injected = (...injectedFaults: string[]) =>
      ['INJECTED', { injectedAt: iso(3), rollbackScheduledAt: iso(63), injectedFaults, nextFaultAt: iso(23) }] as const;
    const states = (entries: ReturnType<typeof logOf>, row?: Lease) =>
      document(entries, row, 27).impactedNodes.map(({ faultState }) => faultState);

    it('has a row for each fault, and calls none active that was not confirmed', () => {
      const began = logOf('x', admitted, turn([first.faultId], [third.faultId]));
      expect(states(began, lease())).toEqual(['INJECTING', 'PENDING', 'INJECTING']);
      const turns = logOf(
        'x',
        admitted,
        turn([first.faultId], [third.faultId]),
        injected(first.faultId, third.faultId),
      );
      expect(states(turns, lease())).toEqual(['ISOLATED', 'PENDING', 'STOPPED']);
      const next = logOf('x', admitted, turn([first.faultId], []), injected(first.faultId), turn([second.faultId], []));
      expect(states(next, lease())).toEqual(['ISOLATED', 'INJECTING', 'PENDING']);
    });

    it('calls an announced fault unknown when its end is not known, and one that was never announced not applied', () => {
      const log = logOf(
        'x',
        admitted,
        turn([first.faultId], [third.faultId]),
        injected(first.faultId, third.faultId),
        [
          'ROLLBACK_FAILED',
          {
            outcome: 'ROLLBACK_FAILED',
            nodes: [{ node: 'redis-node-3', faultId: first.faultId, outcome: 'REVERTED', leftovers: [] }],
            services: [{ faultId: third.faultId, fisExperimentId: 'EXP1', state: 'running', outcome: 'FAILED' }],
          },
        ],
        ['CONCLUDED', { status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE', budgets: [], reason: '' }],
      );
      expect(states(log)).toEqual(['REVERTED', 'NOT_APPLIED', 'UNKNOWN']);
    });
  });

  it('shows the worst cluster, and nothing where one of them cannot be read', () => {
    const other = { ...reading('errorRatePct', 0.4), cluster: 'redis-other' };
    const { value: _, ...unreadable } = { ...reading('p99WriteLatencyMs', 1), cluster: 'redis-other' };
    const readings = [reading('errorRatePct', 0.04), reading('p99WriteLatencyMs', 14.2), other, unreadable];
    const { safetyMetrics } = document(upTo('INJECTED'), lease({ readings }), 27);
    expect(safetyMetrics).toMatchObject({ currentErrorRatePct: 0.4, currentP99LatencyMs: null });
  });
});
