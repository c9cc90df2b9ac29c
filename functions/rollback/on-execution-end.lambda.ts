import { auditReader, leaseStore } from '../admission/stores-from-env.ts';
import { stepFunctionsClient } from '../aws/clients.ts';
import { startExecution } from '../aws/start-execution.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type ExecutionStatusChange, type OnExecutionEndResult, onExecutionEnd } from './on-execution-end.ts';

const stateMachineArn = requireEnv('HOLDFAST_STATE_MACHINE_ARN');

const dependencies = {
  audit: auditReader(),
  leases: leaseStore(),
  startExecution: (name: string, run: ExperimentRun) =>
    startExecution(stepFunctionsClient(), stateMachineArn, name, run),
  clock: systemClock,
};

export function handler(event: ExecutionStatusChange): Promise<OnExecutionEndResult> {
  return onExecutionEnd(event, dependencies);
}
