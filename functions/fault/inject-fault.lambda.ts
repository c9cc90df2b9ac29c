import type { ExperimentRun, Injection } from '../experiment/workflow.ts';
import { ssmClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { clusterOf } from '../target/cluster.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../target/dependencies.ts';
import { injectFault } from './inject-fault.ts';
import { nodeCommands } from './node-command.ts';
import { ssmHostCommands } from './ssm.ts';

const audit = auditLogFromEnv();
const leases = leaseStoreFromEnv();
const hosts = ssmHostCommands(ssmClient(), systemClock);
const documentPrefix = requireEnv('HOLDFAST_DOCUMENT_PREFIX');

export async function handler({ experimentId, experiment, targets }: ExperimentRun): Promise<Injection> {
  const configuration = loadConfiguration();
  if (!targets) throw new Error('targets: required, nothing is sent to a guessed host');
  const commands = nodeCommands({
    experiment,
    targets,
    cluster: clusterOf(experiment, configuration),
    leaseGraceSeconds: configuration.leaseGraceSeconds,
  });
  const dependencies = { leases, audit, hosts, clock: systemClock, documentPrefix };
  return injectFault(experimentId, experiment.durationSeconds, commands, dependencies);
}
