import { ssmClient } from '../aws/clients.ts';
import { fisRollBackFromEnv } from '../aws/fis/from-env.ts';
import { ssmHostCommands } from '../aws/host-commands.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../aws/wiring.ts';
import type { ExperimentRun, RollbackSummary } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { summaryOf } from './bounded-result.ts';
import { plannedFaults } from './planned-faults.ts';
import { rollBack } from './roll-back.ts';
import { whyRolledBack } from './why.ts';

const dependencies = {
  leases: leaseStoreFromEnv(),
  audit: auditLogFromEnv(),
  hosts: ssmHostCommands(ssmClient(), systemClock),
  services: fisRollBackFromEnv(),
  clock: systemClock,
  document: `${requireEnv('HOLDFAST_DOCUMENT_PREFIX')}roll-back`,
};

export async function handler(run: ExperimentRun): Promise<RollbackSummary> {
  const task = { experimentId: run.experimentId, ...whyRolledBack(run), ...plannedFaults(run) };
  return summaryOf(await rollBack(task, dependencies));
}
