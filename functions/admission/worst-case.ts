import type { Cluster } from '../domain/configuration.ts';
import {
  HEARTBEAT_BOUND_SECONDS,
  HEARTBEAT_EMPTY_PERIODS,
  HEARTBEAT_PERIOD_SECONDS,
} from '../domain/guard-heartbeat.ts';

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
  /** Only with faults that a service applies. */
  service?: ServiceWorstCase;
}

/** FIS does not read the lease. What ends its faults when the control plane cannot is an alarm, and their own duration. */
interface ServiceWorstCase {
  /** From the last heartbeat of the guard to the alarm on which FIS stops the experiment. */
  withoutGuardSeconds: number;
  withoutGuardTerms: Term[];
  /** Longest life of each fault by the service alone; null: it ends by itself at once, and cannot be ended before. */
  bounds: { faultId: string; kind: string; seconds: number | null }[];
}

/** The part of a service fault that is used here. */
export interface BoundedFault {
  faultId: string;
  kind: string;
  action: { boundSeconds?: number };
}

/** Every call of the guard is given up after this, one attempt each; the three of one evaluation outlast its period. */
const GUARD_CALL_SECONDS = 0.7;
/** The guard's release may be tried again within this. */
const RELEASE_SECONDS = 2;
const HOST_POLL_SECONDS = 0.5;
const HOST_POLL_TIMEOUT_SECONDS = 0.4;
const FENCE_SECONDS = 15;

/**
 * Two ways lead from a breach to a lifted fault: the guard releases the lease, and, should it not be able to, its beats
 * end. The slower of the two is the bound, so that it holds when either fails.
 */
export function worstCase(
  cluster: Pick<Cluster, 'guardrails' | 'telemetry'>,
  leaseGraceSeconds: number,
  durationSeconds: number,
  services: readonly BoundedFault[],
): WorstCase {
  const ages = Object.values(cluster.guardrails).map(({ maxAgeSeconds }) => maxAgeSeconds);
  const leaseLossSeconds = leaseGraceSeconds + HOST_POLL_SECONDS;
  const unnoticed: Term[] = [
    {
      step: 'a reading may be this old before it counts as blind',
      seconds: Math.max(...ages, cluster.telemetry.maxAgeSeconds),
    },
    { step: 'the evaluation that just missed it: its telemetry is given up after', seconds: GUARD_CALL_SECONDS },
    { step: 'its read of the kill switch is given up after', seconds: GUARD_CALL_SECONDS },
    { step: 'its renewal of the lease is given up after', seconds: GUARD_CALL_SECONDS },
  ];
  const byRelease: Term[] = [
    ...unnoticed,
    { step: 'the next evaluation: its telemetry is given up after', seconds: GUARD_CALL_SECONDS },
    { step: 'its release of the lease is given up after', seconds: RELEASE_SECONDS },
    { step: 'until the next poll of the host', seconds: HOST_POLL_SECONDS },
    { step: 'the poll is given up after', seconds: HOST_POLL_TIMEOUT_SECONDS },
  ];
  const bySilence: Term[] = [
    ...unnoticed,
    { step: 'no beat follows: the host lets go by itself after', seconds: leaseLossSeconds },
  ];
  const abortTerms = sumOf(byRelease) >= sumOf(bySilence) ? byRelease : bySilence;
  return {
    abortSeconds: sumOf(abortTerms),
    abortTerms,
    leaseLossSeconds: rounded(leaseLossSeconds),
    ttlSeconds: durationSeconds,
    fenceSeconds: FENCE_SECONDS,
    ...(services.length === 0 ? {} : { service: serviceWorstCase(services) }),
  };
}

function serviceWorstCase(services: readonly BoundedFault[]): ServiceWorstCase {
  const unseen = (1 + HEARTBEAT_EMPTY_PERIODS) * HEARTBEAT_PERIOD_SECONDS;
  return {
    withoutGuardSeconds: HEARTBEAT_BOUND_SECONDS,
    withoutGuardTerms: [
      { step: 'the period of the last heartbeat ends after', seconds: HEARTBEAT_PERIOD_SECONDS },
      {
        step: `${HEARTBEAT_EMPTY_PERIODS} periods without one`,
        seconds: HEARTBEAT_EMPTY_PERIODS * HEARTBEAT_PERIOD_SECONDS,
      },
      { step: 'CloudWatch evaluates the alarm, and FIS begins to stop', seconds: HEARTBEAT_BOUND_SECONDS - unseen },
    ],
    bounds: services.map(({ faultId, kind, action }) => ({ faultId, kind, seconds: action.boundSeconds ?? null })),
  };
}

function sumOf(terms: readonly Term[]): number {
  return rounded(terms.reduce((sum, { seconds }) => sum + seconds, 0));
}

/** Sums of tenths, without the noise of binary fractions. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
