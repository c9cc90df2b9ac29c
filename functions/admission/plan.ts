import type { CommandPlan, FisPlan } from '../domain/admission.ts';
import type { Fault, RequestedExperiment } from '../domain/experiment.ts';
import { scriptName } from '../domain/faults/catalogue.ts';
import { fisFaults } from '../domain/fis-fault.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import type { Configuration } from '../engines/configuration.ts';
import { nodeCommands } from '../inject/node-command.ts';

/**
 * What *Inject fault* would send if everything began now, each fault with what would remain of the TTL at its start.
 * @param faults those of one cluster
 */
export function plan(
  experiment: RequestedExperiment,
  faults: readonly Fault[],
  targets: ResolvedTargets,
  { clusters, leaseGraceSeconds }: Pick<Configuration, 'clusters' | 'leaseGraceSeconds'>,
  documentPrefix: string,
): { commands: CommandPlan[]; services: FisPlan[] } {
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
      fisFaults(context, [fault], ttlSeconds).map((service) => ({ ...service, startSeconds })),
    ),
  };
}
