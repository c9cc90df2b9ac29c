import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog, fisFaultInjection, hostCommands, leases } from '../aws/wiring.ts';
import type { Fault } from '../domain/experiment.ts';
import { fisFaults } from '../domain/fis-fault.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
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

export async function handler(run: ExperimentRun): Promise<Injection> {
  const { clusters, leaseGraceSeconds, notifications } = loadConfiguration();
  const { experiment } = run;
  const plan = (targets: ResolvedTargets, faults: readonly Fault[], ttlSeconds: number) => {
    const context = { experiment, targets, clusters, leaseGraceSeconds };
    return { commands: nodeCommands(context, faults, ttlSeconds), services: fisFaults(context, faults, ttlSeconds) };
  };
  const dependencies = { ...ports, services: fisFaultInjection(clusters, experiment) };
  return injectFault({ ...run, plan, announce: notifications.announce }, dependencies);
}
