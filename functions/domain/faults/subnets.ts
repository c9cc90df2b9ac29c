import type { ResolvedFault, Surroundings } from '../targets.ts';

/** So many names say enough. */
const MAX_NAMED = 10;

/** Subnets of the impacted nodes, each once. */
export function subnetIdsOf({ impacted }: Pick<ResolvedFault, 'impacted'>): string[] {
  return [...new Set(impacted.map(({ subnetId }) => subnetId))];
}

/**
 * Why these subnets may not be cut off, or undefined: whoever stands in them beside the impacted nodes would be hit
 * without having been counted, and a guard that is cut off from its telemetry or the nodes watches nothing.
 */
export function refuseSubnets(
  { impacted }: ResolvedFault,
  { interfaces, ownSubnetIds, exemptAddresses }: Omit<Surroundings, 'nodes'>,
): string | undefined {
  const subnetIds = subnetIdsOf({ impacted });
  const own = subnetIds.filter((id) => ownSubnetIds.includes(id));
  if (own.length > 0) return `${own.join(', ')}: the guard runs there (network.subnetIds)`;
  const inside = interfaces.filter(({ subnetId }) => subnetIds.includes(subnetId));
  // Before the interfaces of others: telemetry there is the graver reason, and the clearer words.
  const telemetry = inside.flatMap(({ addresses }) => addresses).filter((address) => exemptAddresses.includes(address));
  if (telemetry.length > 0) return `telemetry lives in a subnet that would be cut off (${telemetry.join(', ')})`;
  const unseen = impacted.filter(({ instanceId }) => inside.every((each) => each.instanceId !== instanceId));
  if (unseen.length > 0) return `EC2 shows no interface of ${unseen.map(({ name }) => name).join(', ')} in its subnet`;
  const others = inside.filter((each) => impacted.every(({ instanceId }) => each.instanceId !== instanceId));
  if (others.length === 0) return undefined;
  const named = others
    .slice(0, MAX_NAMED)
    .map(
      ({ interfaceId, instanceId, description, subnetId }) =>
        `${instanceId ?? (description || interfaceId)} in ${subnetId}`,
    );
  const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : '';
  return `others than the targets would be cut off: ${named.join(', ')}${more}`;
}
