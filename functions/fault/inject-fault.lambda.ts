import type { Fault } from '../experiment/experiment.ts';
import type { ExperimentRun, Injection } from '../experiment/workflow.ts';
import { ssmClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { configuredClusters } from '../target/cluster.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../target/dependencies.ts';
import { fisInjectionFromEnv } from './fis-from-env.ts';
import { injectFault } from './inject-fault.ts';
import { nodeCommands } from './node-command.ts';
import { serviceFaults } from './service-fault.ts';
import { ssmHostCommands } from './ssm.ts';

const audit = auditLogFromEnv();
const leases = leaseStoreFromEnv();
const hosts = ssmHostCommands(ssmClient(), systemClock);
const documentPrefix = requireEnv('HOLDFAST_DOCUMENT_PREFIX');

export async function handler({ experiment, targets, injection }: ExperimentRun): Promise<Injection> {
  const configuration = loadConfiguration();
  if (!targets) throw new Error('targets: required, nothing is sent to a guessed host');
  const clusters = configuredClusters(experiment, configuration);
  const context = { experiment, targets, clusters, leaseGraceSeconds: configuration.leaseGraceSeconds };
  const plan = (faults: readonly Fault[], ttlSeconds: number) => ({
    commands: nodeCommands(context, faults, ttlSeconds),
    services: serviceFaults(context, faults, ttlSeconds),
  });
  const services = fisInjectionFromEnv(configuration.clusters, experiment, leases);
  const dependencies = { leases, audit, hosts, services, clock: systemClock, documentPrefix };
  return injectFault({ experiment, plan, ...(injection ? { injection } : {}) }, dependencies);
}
