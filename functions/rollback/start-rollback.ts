import type { AuditEntry } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller, Experiment } from '../domain/experiment.ts';
import type { ExperimentRun } from '../domain/workflow.ts';

export interface RollbackStarter {
  /** Starts the state machine under that name; a name that exists already is no error. */
  startExecution(name: string, run: ExperimentRun): Promise<void>;
  clock: Clock;
}

/**
 * Starts the execution that only rolls back, at most one a minute whoever asks: the name is the experiment's and the
 * minute's. Without the targets: what was announced is in the log, and an input that is too large starts nothing.
 * @returns false when nothing was ever started: an execution comes only behind ADMITTED.
 */
export async function startRollback(
  experimentId: string,
  entries: readonly AuditEntry[],
  { startExecution, clock }: RollbackStarter,
): Promise<boolean> {
  const admitted = entries.find(({ type }) => type === 'ADMITTED');
  if (!admitted) return false;
  await startExecution(`${experimentId}-sweep-${Math.floor(clock.nowEpochMs() / 60_000)}`, {
    experimentId,
    experiment: (admitted.details as { experiment?: unknown }).experiment as Experiment,
    caller: admitted.actor as Caller,
    rollbackOnly: true,
  });
  return true;
}
