import { stateOf } from '../domain/status.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Leases } from '../tables/leases.ts';
import { type RollbackStarter, startRollback } from './start-rollback.ts';

/** The part of EventBridge's `Step Functions Execution Status Change` that is used. */
export interface ExecutionStatusChange {
  detail: { name: string; status: string; input?: string | null };
}

export interface OnExecutionEndDependencies extends RollbackStarter {
  audit: Pick<AuditLog, 'readToDecideRollback'>;
  leases: Pick<Leases, 'release'>;
}

export type OnExecutionEndResult =
  | 'concluded before'
  | 'left to the sweep'
  | 'nothing to roll back'
  | 'rollback started';

/**
 * An execution died (failed, timed out, was stopped). Its Lambdas do not: the guard would go on beating up to the TTL.
 * So the lease goes first; then the rollback starts, unless it is that which died: the sweep tries it again.
 * @throws the store's error, so that the event is delivered again.
 */
export async function onExecutionEnd(
  { detail }: ExecutionStatusChange,
  dependencies: OnExecutionEndDependencies,
): Promise<OnExecutionEndResult> {
  const { experimentId, rollbackOnly } = runOf(detail);
  await dependencies.leases.release(experimentId, 'SWEEP', `its execution ended as ${detail.status}`);
  const entries = await dependencies.audit.readToDecideRollback(experimentId);
  if (stateOf(entries).verdict) return 'concluded before';
  if (rollbackOnly) return 'left to the sweep';
  return (await startRollback(experimentId, entries, dependencies)) ? 'rollback started' : 'nothing to roll back';
}

/** From the input; without one the name is the experiment's, as the start gives it. */
function runOf({ name, input }: ExecutionStatusChange['detail']): { experimentId: string; rollbackOnly: boolean } {
  try {
    const run = JSON.parse(input ?? '') as { experimentId?: unknown; rollbackOnly?: unknown };
    if (typeof run.experimentId === 'string') {
      return { experimentId: run.experimentId, rollbackOnly: run.rollbackOnly === true };
    }
  } catch {
    // Left out of the event because of its size, or not ours.
  }
  return { experimentId: name, rollbackOnly: false };
}
