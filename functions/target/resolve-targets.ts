import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import type { Fault } from '../experiment/experiment.ts';
import type { ResolvedFault, ResolvedTargets, TargetNode } from '../experiment/workflow.ts';
import type { LiveNode } from './ec2-nodes.ts';
import type { StoreTopology } from './store.ts';

/**
 * Names of a request → nodes that are live now, with the role and the shard that the store itself gives them. Pure.
 *
 * @param exemptAddresses addresses of telemetry, which no fault may cut
 * @throws WorkflowError TargetsUnresolved when a name is unknown, not live or of no certain role, or when a fault
 *   would cut a telemetry address.
 */
export function resolveTargets(
  faults: readonly Fault[],
  nodes: readonly LiveNode[],
  topology: StoreTopology,
  exemptAddresses: readonly string[],
): ResolvedTargets {
  const known = new Map(nodes.map((node) => [node.name, toTarget(node, topology)]));
  const resolve = (faultId: string, name: string): TargetNode => {
    const target = known.get(name);
    if (target === undefined) throw unresolved(`${faultId}: node ${name} is not a live node of the cluster`);
    if (typeof target === 'string') throw unresolved(`${faultId}: node ${name} ${target}`);
    return target;
  };
  const resolved = faults.map((fault): ResolvedFault => {
    const impacted = fault.impactedNodes.map((name) => resolve(fault.faultId, name));
    const peers = peerNames(fault).map((name) => resolve(fault.faultId, name));
    const shards = topology.shards.filter((shard) => impacted.some((node) => node.shard === shard.name));
    const members = new Set(shards.flatMap((shard) => [...(shard.master ? [shard.master] : []), ...shard.replicas]));
    const shardMembers = [...members].sort().map((name) => resolve(fault.faultId, name));
    const cut = peers.flatMap((peer) => peer.addresses).filter((address) => exemptAddresses.includes(address));
    if (cut.length > 0) throw unresolved(`${fault.faultId}: telemetry lives on a peer (${cut.join(', ')})`);
    return { faultId: fault.faultId, impacted, peers, shardMembers };
  });
  return { faults: resolved, exemptAddresses: [...exemptAddresses] };
}

/** Nodes on the other side of a partition; none for other kinds. */
function peerNames({ parameters, impactedNodes }: Fault): string[] {
  if (parameters.kind !== 'NETWORK_PARTITION') return [];
  return [...parameters.groupA, ...parameters.groupB].filter((name) => !impactedNodes.includes(name));
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
  };
}

function unresolved(message: string): WorkflowError {
  return new WorkflowError(ErrorName.TargetsUnresolved, message);
}
