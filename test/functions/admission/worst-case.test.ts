import { describe, expect, it } from 'vitest';
import { worstCase } from '../../../functions/admission/worst-case.ts';
import type { Cluster } from '../../../functions/experiment/configuration.ts';
import { configuration } from '../experiment/fixtures.ts';

const cluster = configuration().clusters['redis-master'] as Cluster;
const total = (terms: { seconds: number }[]) => terms.reduce((sum, { seconds }) => sum + seconds, 0);

describe('the worst case', () => {
  it('counts every call that can hang between a breach and the lifted fault', () => {
    const { abortSeconds, abortTerms } = worstCase(cluster, 3, 60);
    // Age 3, a missed evaluation of 3 calls, telemetry again, release, poll and its timeout.
    expect(abortSeconds).toBe(8.7);
    expect(abortTerms.map(({ seconds }) => seconds)).toEqual([3, 0.7, 0.7, 0.7, 0.7, 2, 0.5, 0.4]);
  });

  it('is the lease running out where that takes longer than the release', () => {
    const { abortSeconds, abortTerms, leaseLossSeconds } = worstCase(cluster, 10, 60);
    expect(leaseLossSeconds).toBe(10.5);
    expect(abortSeconds).toBe(15.6);
    expect(total(abortTerms)).toBeCloseTo(abortSeconds);
  });

  it('grows with the oldest reading that any guardrail allows', () => {
    const [name = '', guardrail] = Object.entries(cluster.guardrails)[0] ?? [];
    if (!guardrail) throw new Error('no guardrail');
    const guardrails = { ...cluster.guardrails, [name]: { ...guardrail, maxAgeSeconds: 30 } };
    expect(worstCase({ ...cluster, guardrails }, 3, 60).abortSeconds).toBe(35.7);
  });
});
