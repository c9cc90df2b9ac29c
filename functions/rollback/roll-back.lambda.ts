import { auditLog, fisFaultRollback, hostCommands, leases } from '../aws/wiring.ts';
import { ENVIRONMENT, ROLL_BACK_DOCUMENT } from '../domain/names.ts';
import type { ExperimentRun, RollbackSummary } from '../domain/workflow.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { summaryOf } from './bounded-result.ts';
import { plannedFaults, rollbackReason } from './planned-faults.ts';
import { rollBack } from './roll-back.ts';

const dependencies = {
  leases: leases(),
  audit: auditLog(),
  hosts: hostCommands(),
  services: fisFaultRollback(),
  clock: systemClock,
  document: `${environmentVariable(ENVIRONMENT.documentPrefix)}${ROLL_BACK_DOCUMENT}`,
};

export async function handler(run: ExperimentRun): Promise<RollbackSummary> {
  const task = { experimentId: run.experimentId, ...rollbackReason(run), ...plannedFaults(run) };
  return summaryOf(await rollBack(task, dependencies));
}
