import type { CanaryFirst } from './canary-rule.ts';
import type { ExperimentOutcome, ExperimentStatus } from './experiment.ts';
import type { FaultKind } from './faults/catalogue.ts';

/** How one run of a kind ended on the canary. */
export interface CanaryRun {
  experimentId: string;
  status: ExperimentStatus;
  outcome?: ExperimentOutcome;
}

/** Of how many runs the ends are looked up: in more than these that say nothing, nothing is known. */
export const CANARY_RUNS_LOOKED_UP = 20;

/**
 * Why a kind has to be confirmed on the canary first; undefined: it was.
 *
 * @param runs of the kind there since then, the newest first. The last that says anything counts: a run that was aborted, or that
 *   nobody saw to its end, confirms nothing and refutes nothing.
 */
export function whyNotConfirmed(
  kind: FaultKind,
  { cluster, withinDays }: CanaryFirst,
  runs: readonly CanaryRun[],
): string | undefined {
  const told = runs.find(({ outcome }) => outcome === 'CONFIRMED' || outcome === 'DEVIATED');
  const days = `the last ${withinDays} days`;
  if (told === undefined) {
    const others = runs.length === 0 ? '' : `, and none of its ${runs.length} runs there says anything`;
    return `${kind} was not confirmed on ${cluster} in ${days}${others}`;
  }
  if (told.status === 'COMPLETED' && told.outcome === 'CONFIRMED') return undefined;
  const ended = `${told.status}, ${told.outcome}`;
  return `the last run of ${kind} on ${cluster} in ${days} that says anything, ${told.experimentId}, ended ${ended}`;
}
