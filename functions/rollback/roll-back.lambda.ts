import type { ExperimentRun, RollbackSummary } from '../experiment/workflow.ts';
import { fisRollBackFromEnv } from '../fault/fis-from-env.ts';
import { ssmHostCommands } from '../fault/ssm.ts';
import { ssmClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../target/dependencies.ts';
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
