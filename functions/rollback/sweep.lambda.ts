import { auditReader, clusterLocks, leaseStore } from '../admission/stores-from-env.ts';
import { stepFunctionsClient } from '../aws/clients.ts';
import { executionEnded } from '../aws/execution-ended.ts';
import { startExecution } from '../aws/start-execution.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type SweepAction, sweep } from './sweep.ts';

const stateMachineArn = requireEnv('HOLDFAST_STATE_MACHINE_ARN');

const dependencies = {
  locks: clusterLocks(),
  audit: auditReader(),
  leases: leaseStore(),
  startExecution: (name: string, run: ExperimentRun) =>
    startExecution(stepFunctionsClient(), stateMachineArn, name, run),
  executionEnded: (name: string) => executionEnded(stepFunctionsClient(), stateMachineArn, name),
  clock: systemClock,
};

export function handler(): Promise<Record<string, SweepAction>> {
  return sweep(dependencies);
}
