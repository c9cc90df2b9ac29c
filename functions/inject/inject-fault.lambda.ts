import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, fisFaultInjection, hostCommands, leases } from '../aws/wiring.ts';
import type { Fault } from '../domain/experiment.ts';
import { fisFaults } from '../domain/fis-fault.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { probedShards } from '../domain/probed-shards.ts';
import type { ExperimentRun, Injection } from '../domain/workflow.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { injectFault } from './inject-fault.ts';
import { nodeCommands } from './node-command.ts';

const ports = {
  leases: leases(),
  audit: auditLog(),
  hosts: hostCommands(),
  clock: systemClock,
  documentPrefix: environmentVariable(ENVIRONMENT.documentPrefix),
};

export async function handler({ experiment, targets, injection }: ExperimentRun): Promise<Injection> {
  const { clusters, leaseGraceSeconds } = loadConfiguration();
  if (!targets) throw new Error('targets: required, nothing is sent to a guessed host');
  const context = { experiment, targets, clusters, leaseGraceSeconds };
  const plan = (faults: readonly Fault[], ttlSeconds: number) => ({
    commands: nodeCommands(context, faults, ttlSeconds),
    services: fisFaults(context, faults, ttlSeconds),
  });
  const dependencies = { ...ports, services: fisFaultInjection(clusters, experiment) };
  const probed = probedShards(experiment.faults, targets.faults);
  return injectFault({ experiment, probed, plan, ...(injection ? { injection } : {}) }, dependencies);
}
