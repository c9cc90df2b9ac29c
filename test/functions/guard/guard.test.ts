import { describe, expect, it } from 'vitest';
import { ErrorName, WorkflowError } from '../../../functions/experiment/errors.ts';
import { type GuardDependencies, guard } from '../../../functions/guard/guard.ts';
import type { Lease } from '../../../functions/guard/lease.ts';
import { baseline, cluster } from './fixtures.ts';
import { SimulatedClock } from './simulated-clock.ts';

const VALUES: Record<string, number> = { [cluster.guardrails.freeWorkersPct?.query ?? '']: 90 };

/** A world in memory that keeps the order of what the guard did to it. */
function world(options: { injectAtMs?: number } = {}) {
  const clock = new SimulatedClock();
  const acts: string[] = [];
  const audit: Record<string, unknown>[] = [];
  const lease: Lease = { leaseId: 'exp', state: 'HOLD', beat: 0, grants: [], readings: [] };
  const values = { ...VALUES };
  const state = { killSwitch: false, remainingMs: 900_000, failing: undefined as string | undefined };
  const dependencies: GuardDependencies = {
    clock,
    remainingMs: () => state.remainingMs - clock.monotonicMs(),
    telemetry: {
      range: async () => [],
      async instant(query) {
        if (state.failing !== undefined && query.includes(state.failing)) throw new Error('connection refused');
        if (query.startsWith('time()')) return 0.2;
        if (query === cluster.telemetry.liveGatewaysQuery) return 2;
        if (query === cluster.telemetry.requestRateQuery) return 1000;
        return values[query] ?? 0;
      },
    },
    leases: {
      read: async () => lease,
      killSwitchEngaged: async () => state.killSwitch,
      async renew() {
        if (lease.state !== 'HOLD') throw new WorkflowError(ErrorName.LeaseReleased, 'released');
        acts.push('beat');
        lease.beat += 1;
        if (options.injectAtMs !== undefined && clock.monotonicMs() >= options.injectAtMs) {
          lease.holdUntil ??= new Date(clock.nowEpochMs() + 60_000).toISOString();
        }
        return { ...lease };
      },
      async release(_id, reason, detail) {
        acts.push(`release ${reason}`);
        Object.assign(lease, { state: 'RELEASED', releaseReason: reason, releaseDetail: detail });
      },
    },
    audit: {
      async append(_id, type, _actor, details) {
        acts.push(type);
        audit.push(details);
        return {} as never;
      },
    },
  };
  const run = () => guard({ experimentId: 'exp', cluster, baseline }, dependencies);
  return { clock, acts, audit, lease, values, state, dependencies, run };
}

describe('guard', () => {
  it('holds to the end of the TTL and leaves the release to the rollback', async () => {
    const { run, lease, audit, clock } = world({ injectAtMs: 2000 });
    await run();
    expect(lease.state).toBe('HOLD');
    expect(audit).toEqual([expect.objectContaining({ reason: 'TTL' })]);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(62_000);
    expect(clock.monotonicMs()).toBeLessThan(63_100);
    // At the TTL itself, not at the scrape after it.
    expect(clock.nowEpochMs() - Date.parse(lease.holdUntil ?? '')).toBeLessThan(50);
    expect(lease.beat).toBeGreaterThan(60);
  });

  it('releases the lease before it writes anything when a guardrail is breached', async () => {
    const { run, acts, audit, values, dependencies, lease } = world({ injectAtMs: 0 });
    const { renew } = dependencies.leases;
    dependencies.leases.renew = async (...beat) => {
      if (lease.beat === 4) values[cluster.guardrails.errorRatePct?.query ?? ''] = 0.7;
      return renew(...beat);
    };
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached', message: expect.stringContaining('0.7') });
    expect(acts.slice(-3)).toEqual(['beat', 'release GUARDRAIL', 'GUARD_STOPPED']);
    expect(audit[0]).toMatchObject({ reason: 'GUARDRAIL', evaluations: 6, breaches: [{ guardrail: 'errorRatePct' }] });
  });

  it('does not add a beat when telemetry is gone', async () => {
    const { run, acts, state } = world();
    state.failing = 'http_requests_total';
    await expect(run()).rejects.toThrow(/connection refused/);
    expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('does not add a beat when the kill switch is engaged or cannot be read', async () => {
    const engaged = world();
    engaged.state.killSwitch = true;
    await expect(engaged.run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(engaged.acts).toEqual(['release KILL_SWITCH', 'GUARD_STOPPED']);

    const unknown = world();
    unknown.dependencies.leases.killSwitchEngaged = () => Promise.reject(new Error('throttled'));
    await expect(unknown.run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(unknown.acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('stops with the reason of the row when somebody else released the lease', async () => {
    const { run, lease, audit } = world();
    Object.assign(lease, { state: 'RELEASED', releaseReason: 'ABORT' });
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(audit[0]).toMatchObject({ reason: 'ABORT' });
  });

  it('lets go when a beat cannot be written', async () => {
    const { run, acts, dependencies } = world();
    dependencies.leases.renew = () => Promise.reject(new Error('timeout'));
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(acts).toEqual(['release GUARDRAIL', 'GUARD_STOPPED']);
  });

  it('does not hold a lease for an injection that never comes', async () => {
    const { run, clock, lease } = world();
    await expect(run()).rejects.toMatchObject({ name: 'LeaseReleased' });
    expect(lease.releaseReason).toBe('ROLLBACK');
    expect(clock.monotonicMs()).toBeLessThan(62_000);
  });

  it('lets go before its own process is ended', async () => {
    const { run, state, lease, dependencies } = world({ injectAtMs: 0 });
    state.remainingMs = 30_000;
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
    expect(lease.state).toBe('RELEASED');
    expect(dependencies.remainingMs()).toBeGreaterThan(5000);
  });

  it('still breaches when neither the release nor the audit entry can be written', async () => {
    const { run, state, dependencies } = world();
    state.failing = 'http_requests_total';
    dependencies.leases.release = () => Promise.reject(new Error('down'));
    dependencies.audit.append = () => Promise.reject(new Error('down'));
    await expect(run()).rejects.toMatchObject({ name: 'GuardrailBreached' });
  });
});
