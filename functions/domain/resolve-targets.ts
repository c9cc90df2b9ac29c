import type { LiveNode } from '../aws/live-nodes.ts';
import type { StoreTopology } from '../engines/engine.ts';
import { ErrorName, WorkflowError } from './errors.ts';
import type { Fault } from './experiment.ts';
import { isServiceFaultKind, peersOf, serviceKindOf } from './faults/catalogue.ts';
import type { Surroundings } from './targets.ts';
import type { PeerNode, ResolvedFault, TargetNode } from './workflow.ts';

/** What the subnets of the targets hold beside them: looked at only for kinds that hit a whole subnet. */
export type Network = Pick<Surroundings, 'interfaces' | 'ownSubnetIds'>;

/** Subnets that have to be looked at before these faults are resolved. */
export function subnetsToLookAt(faults: readonly Fault[], nodes: readonly LiveNode[]): string[] {
  const hit = faults
    .filter(({ kind }) => isServiceFaultKind(kind) && serviceKindOf(kind).refuseSurroundings !== undefined)
    .flatMap(({ impactedNodes }) => impactedNodes);
  return [...new Set(nodes.filter(({ name }) => hit.includes(name)).map(({ subnetId }) => subnetId))];
}

/**
 * Names of a request → nodes of one cluster that are live now, with the role and the shard that the store itself gives
 * them. Pure.
 *
 * @param faults those of this cluster
 * @param exemptAddresses addresses of the cluster's telemetry, which no fault may cut
 * @param network what stands in `subnetsToLookAt`
 * @throws WorkflowError TargetsUnresolved when a name is unknown, not live or of no certain role, when nobody is on the
 *   other side of a fault that needs one, when a fault would cut a telemetry address, or when these nodes cannot have it.
 */
export function resolveTargets(
  faults: readonly Fault[],
  nodes: readonly LiveNode[],
  topology: StoreTopology,
  exemptAddresses: readonly string[],
  network: Network,
): ResolvedFault[] {
  const known = new Map(nodes.map((node) => [node.name, toTarget(node, topology)]));
  const resolve = (faultId: string, name: string): TargetNode => {
    const target = known.get(name);
    if (target === undefined) throw unresolved(`${faultId}: node ${name} is not a live node of the cluster`);
    if (typeof target === 'string') throw unresolved(`${faultId}: node ${name} ${target}`);
    return target;
  };
  return faults.map((fault): ResolvedFault => {
    const { faultId } = fault;
    const impacted = fault.impactedNodes.map((name) => resolve(faultId, name));
    const peers = peerNames(fault, nodes).map((name): PeerNode => {
      const { addresses } = resolve(faultId, name);
      return { name, addresses };
    });
    const shards = topology.shards.filter((shard) => impacted.some((node) => node.shard === shard.name));
    const members = new Set(shards.flatMap((shard) => [...(shard.master ? [shard.master] : []), ...shard.replicas]));
    const shardMembers = [...members].sort().map((name) => resolve(faultId, name));
    const cut = peers.flatMap((peer) => peer.addresses).filter((address) => exemptAddresses.includes(address));
    if (cut.length > 0) throw unresolved(`${faultId}: telemetry lives on a peer (${cut.join(', ')})`);
    const resolved = { faultId, impacted, peers, shardMembers };
    const refused = refusedByKind(fault, resolved, { ...network, nodes, exemptAddresses });
    if (refused !== undefined) throw unresolved(`${faultId}: ${refused}`);
    return resolved;
  });
}

/**
 * Nodes on the other side, never an impacted one; none for kinds without another side.
 * @throws WorkflowError TargetsUnresolved when there is nobody: such a fault would do nothing, or something else.
 */
function peerNames({ faultId, parameters, impactedNodes }: Fault, nodes: readonly LiveNode[]): string[] {
  const selection = peersOf(parameters);
  if (!selection) return [];
  const selected = () => {
    switch (selection.by) {
      case 'names':
        return selection.nodes;
      case 'availabilityZone':
        return nodes.filter((node) => node.availabilityZone === selection.availabilityZone).map(({ name }) => name);
      case 'all':
        return nodes.map(({ name }) => name);
    }
  };
  const peers = [...new Set(selected())].filter((name) => !impactedNodes.includes(name));
  if (peers.length > 0) return peers;
  const where = selection.by === 'availabilityZone' ? ` in ${selection.availabilityZone}` : '';
  throw unresolved(`${faultId}: there is no peer${where}, no live node beside the impacted ones`);
}

function refusedByKind({ parameters }: Fault, resolved: ResolvedFault, surroundings: Surroundings): string | undefined {
  if (!isServiceFaultKind(parameters.kind)) return undefined;
  const kind = serviceKindOf(parameters.kind);
  return kind.refuseTargets?.(parameters, resolved) ?? kind.refuseSurroundings?.(parameters, resolved, surroundings);
}

/** The node with its role, or why it has none. */
function toTarget(node: LiveNode, topology: StoreTopology): TargetNode | string {
  const homes = topology.shards.filter((shard) => shard.master === node.name || shard.replicas.includes(node.name));
  const [home, ...others] = homes;
  if (!home) return 'belongs to no shard that the store knows';
  if (others.length > 0) return `belongs to several shards: ${homes.map((shard) => shard.name).join(', ')}`;
  if (home.master === undefined) return `has no certain role: ${home.problems.join('; ')}`;
  const first = topology.advertisedAddresses[node.name];
  return {
    name: node.name,
    instanceId: node.instanceId,
    addresses: [...new Set([...(first ? [first] : []), ...node.addresses])],
    shard: home.name,
    role: home.master === node.name ? 'master' : 'replica',
    availabilityZone: node.availabilityZone,
    subnetId: node.subnetId,
    dataVolumeIds: node.dataVolumeIds,
  };
}

function unresolved(message: string): WorkflowError {
  return new WorkflowError(ErrorName.TargetsUnresolved, message);
}
