import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { Experiment } from '../../../functions/domain/experiment.ts';
import type { ResolvedTargets } from '../../../functions/domain/targets.ts';
import { detailsOf, type Given, logOf } from './fixtures.ts';
import { roleIn, targetNode } from './target-fixtures.ts';

/** Resolved targets: every impacted node a replica of `shard-1`, on an instance and under an address of its own. */
export function resolvedTargetsOf({ faults }: Experiment): ResolvedTargets {
  const numberOf = (name: string) => Number(name.replace(/\D/g, ''));
  const node = (name: string) => {
    const shard = Math.ceil(numberOf(name) / 3);
    return targetNode(numberOf(name), { name, roles: [roleIn(`shard-${shard}`)] });
  };
  return {
    faults: faults.map(({ faultId, impactedNodes }) => {
      const impacted = impactedNodes.map(node);
      return { faultId, impacted, peers: [], shardMembers: impacted };
    }),
    exemptAddresses: Object.fromEntries(faults.map(({ cluster }) => [cluster, ['10.77.0.99']])),
  };
}

/** The log of an experiment that was admitted with these targets, and what is written behind. */
export function admittedLog(
  admitted: Experiment | { experiment: Experiment; targets: ResolvedTargets },
  ...behind: readonly Given[]
): AuditEntry[] {
  const { experiment, targets } =
    'targets' in admitted ? admitted : { experiment: admitted, targets: resolvedTargetsOf(admitted) };
  const facts = { ...detailsOf('ADMITTED').facts, targets: targets.faults };
  return logOf(
    experiment.experimentId,
    ['ADMITTED', { experiment, facts }],
    ['TARGETS_RESOLVED', { targets }],
    ...behind,
  );
}
