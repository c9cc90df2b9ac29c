import type { Configuration } from '../domain/configuration.ts';
import { scriptName } from '../domain/faults/catalogue.ts';
import { type ServiceFault, serviceFaults } from '../domain/fis-fault.ts';
import type { ResolvedTargets } from '../domain/workflow.ts';
import { type NodeCommand, nodeCommands } from '../inject/node-command.ts';
import type { Findings } from './findings.ts';

/** One command to one host as it would be sent, and what takes it back. */
export interface CommandPlan extends Omit<NodeCommand, 'kind'> {
  startSeconds: number;
  document: string;
}

/** One experiment of the service as it would be made; `action` has its undo and its bound. */
export interface ServicePlan extends ServiceFault {
  startSeconds: number;
}

export type PlannedAct = CommandPlan | ServicePlan;

/** What *Inject fault* would send if everything began now, each fault with what would remain of the TTL at its start. */
export function plan(
  { experiment, faults }: Pick<Findings, 'experiment' | 'faults'>,
  targets: ResolvedTargets,
  { clusters, leaseGraceSeconds }: Pick<Configuration, 'clusters' | 'leaseGraceSeconds'>,
  documentPrefix: string,
): { commands: CommandPlan[]; services: ServicePlan[] } {
  const context = { experiment, targets, clusters, leaseGraceSeconds };
  const first = Math.min(...experiment.faults.map(({ startSeconds }) => startSeconds));
  const timed = faults.map((fault) => {
    const startSeconds = fault.startSeconds - first;
    return { fault, startSeconds, ttlSeconds: experiment.durationSeconds - startSeconds };
  });
  return {
    commands: timed.flatMap(({ fault, startSeconds, ttlSeconds }) =>
      nodeCommands(context, [fault], ttlSeconds).map(({ kind, ...command }) => ({
        ...command,
        startSeconds,
        document: `${documentPrefix}${scriptName(kind)}`,
      })),
    ),
    services: timed.flatMap(({ fault, startSeconds, ttlSeconds }) =>
      serviceFaults(context, [fault], ttlSeconds).map((service) => ({ ...service, startSeconds })),
    ),
  };
}
