import { ssmClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { fisInjectionFromEnv } from '../aws/fis/from-env.ts';
import { ssmHostCommands } from '../aws/host-commands.ts';
import { auditLogFromEnv, leaseStoreFromEnv } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/cluster.ts';
import type { Fault } from '../domain/experiment.ts';
import { serviceFaults } from '../domain/fis-fault.ts';
import type { ExperimentRun, Injection } from '../domain/workflow.ts';
import { requireEnv } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { injectFault } from './inject-fault.ts';
import { nodeCommands } from './node-command.ts';

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
