import type { ResolvedFault } from '../targets.ts';
import type { FisAction } from './kind.ts';

/** The data volumes of the impacted nodes, never a root volume. */
export function volumesOf({ impacted }: ResolvedFault): FisAction['target'] {
  return {
    name: 'Volumes',
    resourceType: 'aws:ec2:ebs-volume',
    resources: [...new Set(impacted.flatMap(({ dataVolumeIds }) => dataVolumeIds))].map((id) => ({
      kind: 'volume',
      id,
    })),
  };
}

/** FIS wants all volumes of an action in one zone, and a node without one would not have the fault at all. */
export function refuseVolumes({ impacted }: ResolvedFault): string | undefined {
  const bare = impacted.filter(({ dataVolumeIds }) => dataVolumeIds.length === 0).map(({ name }) => name);
  if (bare.length > 0) return `${bare.join(', ')}: no EBS volume is attached beside the root volume`;
  const zones = [...new Set(impacted.map(({ availabilityZone }) => availabilityZone))];
  return zones.length > 1 ? `the volumes are in several availability zones: ${zones.join(', ')}` : undefined;
}
