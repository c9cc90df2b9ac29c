import type { ClusterFacts } from '../../../functions/domain/admission.ts';
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

interface Admitted {
  experiment: Experiment;
  targets: ResolvedTargets;
  /** Of each of its clusters. */
  seen?: Partial<ClusterFacts>;
}

/** The log of an experiment that was admitted with these targets, and what is written behind. */
export function admittedLog(admitted: Experiment | Admitted, ...behind: readonly Given[]): AuditEntry[] {
  const { experiment, targets, seen }: Admitted =
    'targets' in admitted ? admitted : { experiment: admitted, targets: resolvedTargetsOf(admitted) };
  const { facts: usual } = detailsOf('ADMITTED');
  const clusters = usual.clusters.map((each) => ({ ...each, ...seen }));
  const facts = { ...usual, clusters, targets: targets.faults };
  return logOf(
    experiment.experimentId,
    ['ADMITTED', { experiment, facts }],
    ['TARGETS_RESOLVED', { targets }],
    ...behind,
  );
}
