import type { FisWorstCase, Term, WorstCase } from '../domain/admission.ts';
import type { Cluster } from '../domain/configuration.ts';
import { guardrailsOf, trafficSourcesOf } from '../domain/guardrail-queries.ts';
import { workspaceOf } from '../domain/telemetry-access.ts';
import {
  HEARTBEAT_BOUND_SECONDS,
  HEARTBEAT_EMPTY_PERIODS,
  HEARTBEAT_PERIOD_SECONDS,
  HOST,
  MAX_CLOCK_DIFFERENCE_MS,
  PATIENCE,
  QUERY_TIMEOUT_MS,
  RULE_EVALUATION_SECONDS,
  STORE_LOOK,
} from '../domain/timing.ts';

/** The part of a fault in FIS that is used here. */
export interface BoundedFault {
  faultId: string;
  kind: string;
  action: { boundSeconds?: number };
}

const QUERY_SECONDS = QUERY_TIMEOUT_MS / 1000;
const BEAT_CALL_SECONDS = PATIENCE.beat.withinMs / 1000;
const RELEASE_SECONDS = PATIENCE.lease.withinMs / 1000;

/**
 * Two ways lead from a breach to a lifted fault: the guard releases the lease, and, should it not be able to, its beats
 * end. The slower of the two is the bound, so that it holds when either fails.
 *
 * @param asksStore whether the store itself is asked too if the fault may go on. What it may say in passing (`forSeconds`) is
 *   a breach only after so long
 */
export function worstCase(
  cluster: Pick<Cluster, 'guardrails' | 'telemetry'>,
  leaseGraceSeconds: number,
  durationSeconds: number,
  services: readonly BoundedFault[],
  asksStore = false,
): WorstCase {
  const sources = [...Object.values(guardrailsOf(cluster)), ...Object.values(trafficSourcesOf(cluster))];
  const silenceSeconds = leaseGraceSeconds + HOST.pollSeconds;
  const removal: Term = { step: 'the host removes the fault within', seconds: HOST.revertSeconds };
  const byTelemetry: Term[] = [
    {
      step: 'a reading may be this old before it counts as blind',
      seconds: Math.max(...sources.map(({ maxAgeSeconds }) => maxAgeSeconds)),
    },
    {
      step: 'the answer of telemetry may be this much older: clocks may differ',
      seconds: MAX_CLOCK_DIFFERENCE_MS / 1000,
    },
  ];
  const byStore: Term[] = asksStore
    ? [{ step: 'the answer of the store may be this old before it counts as blind', seconds: STORE_LOOK.maxAgeSeconds }]
    : [];
  const unnoticed: Term[] = [
    ...(sumOf(byStore) > sumOf(byTelemetry) ? byStore : byTelemetry),
    { step: 'the evaluation that just missed it: its telemetry is given up after', seconds: QUERY_SECONDS },
    { step: 'its read of the kill switch is given up after', seconds: BEAT_CALL_SECONDS },
    { step: 'its renewal of the lease is given up after', seconds: BEAT_CALL_SECONDS },
  ];
  const byRelease: Term[] = [
    ...unnoticed,
    { step: 'the next evaluation: its telemetry is given up after', seconds: QUERY_SECONDS },
    { step: 'its release of the lease is given up after', seconds: RELEASE_SECONDS },
    { step: 'until the next poll of the host', seconds: HOST.pollSeconds },
    { step: 'the poll is given up after', seconds: HOST.pollTimeoutSeconds },
    removal,
  ];
  const bySilence: Term[] = [
    ...unnoticed,
    { step: 'no beat follows: the host reverts by itself after', seconds: silenceSeconds },
    removal,
  ];
  const abortTerms = sumOf(byRelease) >= sumOf(bySilence) ? byRelease : bySilence;
  return {
    abortSeconds: sumOf(abortTerms),
    abortTerms,
    leaseLossSeconds: rounded(silenceSeconds + HOST.revertSeconds),
    ttlSeconds: durationSeconds,
    fenceSeconds: HOST.fenceSeconds,
    ...(services.length === 0 ? {} : { service: fisWorstCase(services) }),
    ...(workspaceOf(cluster.telemetry) ? { rules: rulesWorstCase(byTelemetry) } : {}),
  };
}

function fisWorstCase(services: readonly BoundedFault[]): FisWorstCase {
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

/** @param seen how late telemetry may show anything, or it is blind: remote write to AMP takes its time from that */
function rulesWorstCase(seen: readonly Term[]): NonNullable<WorstCase['rules']> {
  const terms = [
    ...seen,
    { step: 'AMP evaluates its alerting rules no more often than every', seconds: RULE_EVALUATION_SECONDS },
  ];
  return { seconds: sumOf(terms), terms };
}

function sumOf(terms: readonly Term[]): number {
  return rounded(terms.reduce((sum, { seconds }) => sum + seconds, 0));
}

/** Sums of tenths, without the noise of binary fractions. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
