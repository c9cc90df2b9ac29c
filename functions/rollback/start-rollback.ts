import type { Executions } from '../aws/executions.ts';
import { type AuditEntry, isEntryOf } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller } from '../domain/experiment.ts';
import { rollbackExecutionName } from '../domain/names.ts';

export interface RollbackStarter {
  executions: Pick<Executions, 'start'>;
  clock: Clock;
}

/**
 * Starts the execution that only rolls back, at most one a minute whoever asks: the name is the experiment's and the
 * minute's. Without the targets: what was announced is in the log, and an input that is too large starts nothing.
 * @returns false when nothing was ever started: an execution comes only after ADMITTED.
 */
export async function startRollback(
  experimentId: string,
  entries: readonly AuditEntry[],
  { executions, clock }: RollbackStarter,
): Promise<boolean> {
  const admitted = entries.find((entry) => isEntryOf(entry, 'ADMITTED'));
  if (!admitted) return false;
  await executions.start(rollbackExecutionName(experimentId, clock.nowEpochMs()), {
    experimentId,
    experiment: admitted.details.experiment,
    caller: callerOf(admitted),
    rollbackOnly: true,
  });
  return true;
}

/** Only people are admitted. @throws Error for an entry of one of our own functions */
function callerOf({ actor }: AuditEntry): Caller {
  if ('arn' in actor) return actor;
  throw new Error(`ADMITTED was written by ${actor.function}, not for a caller`);
}
