import type { PlannedAct } from '../domain/admission.ts';
import type { Experiment } from '../domain/experiment.ts';
import { bytesOf, MAX_ENTRY_BYTES, MAX_RUN_BYTES } from '../domain/limits.ts';
import { type Problem, problem } from '../domain/problem.ts';
import type { ResolvedTargets } from '../domain/targets.ts';

/**
 * Beyond a certain size nothing of an experiment can be carried or recorded any more, not even its rollback: so it does
 * not begin. Asked of all clusters together, as they run under one execution and in one log.
 *
 * @param wouldRun everything of the run: batches that come late may stand in one entry
 */
export function refuseTooLarge(
  experiment: Experiment,
  targets: ResolvedTargets,
  wouldRun: readonly PlannedAct[],
): Problem | undefined {
  return (
    beyond('experiment and targets', bytesOf({ experiment, targets }), MAX_RUN_BYTES) ??
    beyond('commands', bytesOf(wouldRun), MAX_ENTRY_BYTES)
  );
}

function beyond(what: string, bytes: number, maxBytes: number): Problem | undefined {
  if (bytes <= maxBytes) return undefined;
  const detail = `not started: its ${what} are ${bytes} bytes, at most ${maxBytes}; name fewer nodes, or fewer faults`;
  return problem('experiment-too-large', detail, { bytes, maxBytes });
}
