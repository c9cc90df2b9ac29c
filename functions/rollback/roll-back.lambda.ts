import type { ExperimentRun, RollbackResult } from '../experiment/workflow.ts';
import { ssmHostCommands } from '../fault/ssm.ts';
import { ssmClient } from '../shared/clients.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../target/dependencies.ts';
import { rollBack } from './roll-back.ts';
import { whyRolledBack } from './why.ts';

const dependencies = {
  leases: leaseStoreFromEnv(),
  audit: auditLogFromEnv(),
  hosts: ssmHostCommands(ssmClient(), systemClock),
  clock: systemClock,
  document: `${requireEnv('HOLDFAST_DOCUMENT_PREFIX')}roll-back`,
};

export async function handler(run: ExperimentRun): Promise<RollbackResult> {
  const { experimentId, targets } = run;
  return rollBack({ experimentId, ...whyRolledBack(run), ...(targets ? { targets } : {}) }, dependencies);
}
