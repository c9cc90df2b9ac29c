import { lambdaClient } from '../aws/clients.ts';
import { invokeAdmit } from '../aws/invoke-admit.ts';
import { auditReader, killSwitches, leases } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type AwaitStartDependencies, awaitStart } from './await-start.ts';

const admitFunction = environmentVariable(ENVIRONMENT.admitFunction);

const dependencies: AwaitStartDependencies = {
  audit: auditReader(),
  leases: leases(),
  switches: killSwitches(),
  admit: (experiment, caller) =>
    invokeAdmit(lambdaClient('admission'), admitFunction, experiment, caller, experiment.experimentId),
  clock: systemClock,
};

export function handler(run: ExperimentRun): Promise<void> {
  return awaitStart(run, dependencies);
}
