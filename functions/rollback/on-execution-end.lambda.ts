import { auditReader, leaseStore } from '../admission/stores-from-env.ts';
import { startExecution } from '../api/start-execution.ts';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { stepFunctionsClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
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
