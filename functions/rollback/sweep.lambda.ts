import { auditReader, clusterLocks, leaseStore } from '../admission/stores-from-env.ts';
import { startExecution } from '../api/start-execution.ts';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { stepFunctionsClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { executionEnded } from './execution-ended.ts';
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
