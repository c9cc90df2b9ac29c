import type { Cluster } from '../experiment/configuration.ts';

/** One step on the way from a breach to a lifted fault. */
export interface Term {
  step: string;
  seconds: number;
}

/** How long a fault can outlive its reason, whatever fails; every sum is shown with its terms. */
export interface WorstCase {
  /** From a breach (or from telemetry going blind) to the fault being lifted. */
  abortSeconds: number;
  abortTerms: Term[];
  /** From the death of the control plane, or of the way to it, to the fault being lifted. */
  leaseLossSeconds: number;
  /** With everything dead but the host itself. */
  ttlSeconds: number;
  /** After the fault is lifted, client writes to a former master may stay fenced for this long. */
  fenceSeconds: number;
}

export const GUARD_PERIOD_SECONDS = 1;
export const GUARD_CALL_SECONDS = 0.7;
export const HOST_POLL_SECONDS = 0.5;
export const HOST_POLL_TIMEOUT_SECONDS = 0.4;
export const FENCE_SECONDS = 15;

export function worstCase(
  cluster: Pick<Cluster, 'guardrails' | 'telemetry'>,
  leaseGraceSeconds: number,
  durationSeconds: number,
): WorstCase {
  const ages = Object.values(cluster.guardrails).map(({ maxAgeSeconds }) => maxAgeSeconds);
  const abortTerms: Term[] = [
    {
      step: 'a reading may be this old before it counts as blind',
      seconds: Math.max(...ages, cluster.telemetry.maxAgeSeconds),
    },
    { step: 'until the next evaluation of the guard', seconds: GUARD_PERIOD_SECONDS },
    { step: 'its calls are given up after', seconds: GUARD_CALL_SECONDS },
    { step: 'until the next poll of the host', seconds: HOST_POLL_SECONDS },
    { step: 'the poll is given up after', seconds: HOST_POLL_TIMEOUT_SECONDS },
  ];
  return {
    abortSeconds: rounded(abortTerms.reduce((sum, { seconds }) => sum + seconds, 0)),
    abortTerms,
    leaseLossSeconds: rounded(leaseGraceSeconds + HOST_POLL_SECONDS),
    ttlSeconds: durationSeconds,
    fenceSeconds: FENCE_SECONDS,
  };
}

/** Sums of tenths, without the noise of binary fractions. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
