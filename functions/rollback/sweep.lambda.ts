import { auditReader, clusterLocks, leaseStore } from '../admission/stores-from-env.ts';
import { startExecution } from '../api/start-execution.ts';
import type { ExperimentRun } from '../experiment/workflow.ts';
import { stepFunctionsClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { type SweepAction, sweep } from './sweep.ts';

const dependencies = {
  locks: clusterLocks(),
  audit: auditReader(),
  leases: leaseStore(),
  startExecution: (name: string, run: ExperimentRun) =>
    startExecution(stepFunctionsClient(), requireEnv('HOLDFAST_STATE_MACHINE_ARN'), name, run),
  clock: systemClock,
};

export function handler(): Promise<Record<string, SweepAction>> {
  return sweep(dependencies);
}
