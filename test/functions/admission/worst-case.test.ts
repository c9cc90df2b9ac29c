import { describe, expect, it } from 'vitest';
import { worstCase } from '../../../functions/admission/worst-case.ts';
import type { Cluster } from '../../../functions/domain/configuration.ts';
import { HEARTBEAT_BOUND_SECONDS } from '../../../functions/domain/guard-heartbeat.ts';
import { configuration } from '../domain/fixtures.ts';

const cluster = configuration().clusters['redis-master'] as Cluster;
const total = (terms: { seconds: number }[]) => terms.reduce((sum, { seconds }) => sum + seconds, 0);

describe('the worst case', () => {
  it('counts every call that can hang between a breach and the lifted fault', () => {
    const { abortSeconds, abortTerms } = worstCase(cluster, 3, 60, []);
    // Age 3, a missed evaluation of 3 calls, telemetry again, release, poll and its timeout.
    expect(abortSeconds).toBe(8.7);
    expect(abortTerms.map(({ seconds }) => seconds)).toEqual([3, 0.7, 0.7, 0.7, 0.7, 2, 0.5, 0.4]);
  });

  it('is the lease running out where that takes longer than the release', () => {
    const { abortSeconds, abortTerms, leaseLossSeconds } = worstCase(cluster, 10, 60, []);
    expect(leaseLossSeconds).toBe(10.5);
    expect(abortSeconds).toBe(15.6);
    expect(total(abortTerms)).toBeCloseTo(abortSeconds);
  });

  it('grows with the oldest reading that any guardrail allows', () => {
    const [name = '', guardrail] = Object.entries(cluster.guardrails)[0] ?? [];
    if (!guardrail) throw new Error('no guardrail');
    const guardrails = { ...cluster.guardrails, [name]: { ...guardrail, maxAgeSeconds: 30 } };
    expect(worstCase({ ...cluster, guardrails }, 3, 60, []).abortSeconds).toBe(35.7);
  });

  it('says what bounds a fault in the service, which does not read the lease', () => {
    const stop = { faultId: 'exp.1', kind: 'INSTANCE_STOP', action: { boundSeconds: 120 } };
    const reboot = { faultId: 'exp.2', kind: 'INSTANCE_REBOOT', action: {} };
    const { service } = worstCase(cluster, 3, 60, [stop, reboot]);
    expect(service?.withoutGuardSeconds).toBe(HEARTBEAT_BOUND_SECONDS);
    expect(total(service?.withoutGuardTerms ?? [])).toBe(HEARTBEAT_BOUND_SECONDS);
    expect(service?.bounds).toEqual([
      { faultId: 'exp.1', kind: 'INSTANCE_STOP', seconds: 120 },
      { faultId: 'exp.2', kind: 'INSTANCE_REBOOT', seconds: null },
    ]);
    expect(worstCase(cluster, 3, 60, [])).not.toHaveProperty('service');
  });
});
