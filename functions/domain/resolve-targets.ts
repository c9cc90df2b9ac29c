import { ErrorName, WorkflowError } from './errors.ts';
import type { Fault } from './experiment.ts';
import {
  collide,
  fisKindOf,
  hitsWholeHost,
  hostKindOf,
  isFisFaultKind,
  isHostFaultKind,
  peersOf,
} from './faults/catalogue.ts';
import type { LiveNode, PeerNode, ResolvedFault, Surroundings, TargetNode } from './targets.ts';
import { membersOf, type StoreTopology } from './topology.ts';

/** What the subnets of the targets hold beside them: looked at only for kinds that hit a whole subnet. */
export type Network = Pick<Surroundings, 'interfaces' | 'ownSubnetIds'>;

/** Subnets that have to be looked at before these faults are resolved. */
export function subnetsToLookAt(faults: readonly Fault[], nodes: readonly LiveNode[]): string[] {
  const hit = faults
    .filter(({ kind }) => isFisFaultKind(kind) && fisKindOf(kind).refuseSurroundings !== undefined)
    .flatMap(({ impactedNodes }) => impactedNodes);
  return [...new Set(nodes.filter(({ name }) => hit.includes(name)).map(({ subnetId }) => subnetId))];
}

/** Live nodes that these faults hit: the named ones, and of a fault on a whole host every node of that host. */
export function nodesHitBy(
  faults: readonly Pick<Fault, 'kind' | 'impactedNodes'>[],
  nodes: readonly LiveNode[],
): LiveNode[] {
  const hostsHit = new Set(
    faults
      .filter(({ kind }) => hitsWholeHost(kind))
      .flatMap(({ impactedNodes }) => nodes.filter(({ name }) => impactedNodes.includes(name)))
      .map(({ instanceId }) => instanceId),
  );
  const named = new Set(faults.flatMap(({ impactedNodes }) => impactedNodes));
  return nodes.filter(({ name, instanceId }) => named.has(name) || hostsHit.has(instanceId));
}

/**
 * Names of a request → nodes of one cluster that are live now, with the roles that the store itself gives them. Pure.
 *
 * @param faults those of this cluster
 * @param exemptAddresses addresses of telemetry, which no fault may cut or hit
 * @param network what stands in `subnetsToLookAt`
 * @param fences whether the engine has a fence on the hosts
 * @throws WorkflowError TargetsUnresolved when a name is unknown, not live or of no certain role, when nobody is on the
 *   other side of a fault that needs one, when a fault would cut a telemetry address or hit its host, when two faults would work on the
 *   same thing of one host, or when these nodes cannot have it.
 */
export function resolveTargets(
  faults: readonly Fault[],
  nodes: readonly LiveNode[],
  topology: StoreTopology,
  exemptAddresses: readonly string[],
  network: Network,
  fences = true,
): ResolvedFault[] {
  const known = new Map(nodes.map((node) => [node.name, toTarget(node, topology)]));
  const resolve = (faultId: string, name: string): TargetNode => {
    const target = known.get(name);
    if (target === undefined) throw unresolved(`${faultId}: node ${name} is not a live node of the cluster`);
    if (typeof target === 'string') throw unresolved(`${faultId}: node ${name} ${target}`);
    return target;
  };
  const resolved = faults.map((fault): ResolvedFault => {
    const { faultId } = fault;
    const impacted = fault.impactedNodes.map((name) => resolve(faultId, name));
    for (const { name, addresses } of impacted) {
      const own = addresses.filter((address) => exemptAddresses.includes(address));
      if (own.length > 0) throw unresolved(`${faultId}: telemetry lives on the host of ${name} (${own.join(', ')})`);
    }
    const peers = peerNames(fault, nodes).map((name): PeerNode => {
      const { addresses, instanceId } = resolve(faultId, name);
      const own = impacted.find((node) => node.instanceId === instanceId);
      if (own) throw unresolved(`${faultId}: ${name} lives on the host of ${own.name}, no network is between them`);
      return { name, addresses };
    });
    const hit = nodesHitBy([fault], nodes);
    const shards = topology.shards.filter((shard) => hit.some(({ name }) => membersOf(shard).includes(name)));
    const members = new Set(shards.flatMap(membersOf));
    const shardMembers = [...members].sort().map((name) => resolve(faultId, name));
    const cut = peers.flatMap((peer) => peer.addresses).filter((address) => exemptAddresses.includes(address));
    if (cut.length > 0) throw unresolved(`${faultId}: telemetry lives on a peer (${cut.join(', ')})`);
    const targets = { faultId, impacted, peers, shardMembers };
    const refused =
      (fences ? refuseFence(fault, targets, nodes) : undefined) ??
      refusedByKind(fault, targets, { ...network, nodes, exemptAddresses });
    if (refused !== undefined) throw unresolved(`${faultId}: ${refused}`);
    return targets;
  });
  refuseCollisions(faults, resolved);
  return resolved;
}

/**
 * Names alone did not tell that two nodes share a host. A host takes one fault at a time on each resource, also where its
 * processes are several.
 */
function refuseCollisions(faults: readonly Fault[], resolved: readonly ResolvedFault[]): void {
  for (const [position, fault] of faults.entries()) {
    const own = resolved[position]?.impacted ?? [];
    const twin = own.find((node, index) => own.slice(0, index).some((other) => other.instanceId === node.instanceId));
    if (twin && isHostFaultKind(fault.kind) && !hitsWholeHost(fault.kind))
      throw unresolved(
        `${fault.faultId}: another impacted node shares the host of ${twin.name}: one ${fault.kind} a host`,
      );
    for (const [earlier, other] of faults.slice(0, position).entries()) {
      const theirs = resolved[earlier]?.impacted ?? [];
      const shared = own.find((node) => theirs.some(({ instanceId }) => instanceId === node.instanceId));
      if (!shared) continue;
      const kinds = `${other.kind} (${other.faultId}) and ${fault.kind}`;
      if (collide(fault.kind, other.kind))
        throw unresolved(`${fault.faultId}: both ${kinds} would work on the host of ${shared.name}`);
      // What one of them loses the other never sees: its effect would be gone.
      const peer = resolved[position]?.peers.find(({ name }) =>
        resolved[earlier]?.peers.some((each) => each.name === name),
      );
      if (peer)
        throw unresolved(
          `${fault.faultId}: both ${kinds} would work on the packets between ${shared.name} and ${peer.name}`,
        );
    }
  }
}

/**
 * Nodes on the other side, never an impacted one; none for kinds without another side.
 * @throws WorkflowError TargetsUnresolved when there is nobody: such a fault would do nothing, or something else.
 */
function peerNames({ faultId, parameters, impactedNodes }: Fault, nodes: readonly LiveNode[]): string[] {
  const selection = peersOf(parameters);
  if (!selection) return [];
  const hostsHit = nodes.filter(({ name }) => impactedNodes.includes(name)).map(({ instanceId }) => instanceId);
  const elsewhere = nodes.filter(({ instanceId }) => !hostsHit.includes(instanceId));
  const selected = () => {
    switch (selection.by) {
      case 'names':
        return selection.nodes;
      case 'availabilityZone':
        return elsewhere.filter((node) => node.availabilityZone === selection.availabilityZone).map(({ name }) => name);
      case 'all':
        return elsewhere.map(({ name }) => name);
    }
  };
  const peers = [...new Set(selected())].filter((name) => !impactedNodes.includes(name));
  if (peers.length > 0) return peers;
  const where = selection.by === 'availabilityZone' ? ` in ${selection.availabilityZone}` : '';
  throw unresolved(`${faultId}: there is no peer${where}, no live node beside the impacted ones`);
}

/** A host's fence guards the port of one node: clients would meet any other node there before its role is certain. */
function refuseFence({ kind }: Fault, { impacted }: ResolvedFault, all: readonly LiveNode[]): string | undefined {
  if (!isHostFaultKind(kind) || !hostKindOf(kind).fence || !hitsWholeHost(kind)) return undefined;
  for (const { name, instanceId } of impacted) {
    const other = all.find((node) => node.instanceId === instanceId && node.name !== name);
    if (other) return `${other.name} shares the host of ${name}: the fence guards one node a host`;
  }
  return undefined;
}

function refusedByKind({ parameters }: Fault, resolved: ResolvedFault, surroundings: Surroundings): string | undefined {
  if (!isFisFaultKind(parameters.kind)) return undefined;
  const kind = fisKindOf(parameters.kind);
  return kind.refuseTargets?.(parameters, resolved) ?? kind.refuseSurroundings?.(parameters, resolved, surroundings);
}

/** The node with its roles, or why it has none. */
function toTarget(node: LiveNode, topology: StoreTopology): TargetNode | string {
  const homes = topology.shards.filter((shard) => membersOf(shard).includes(node.name));
  if (homes.length === 0) return 'belongs to no shard that the store knows';
  const roles = homes.flatMap(({ name: shard, members, unprobed }) => {
    const role = members.find((member) => member.node === node.name)?.role;
    return role === undefined ? [] : [{ shard, role, ...(unprobed ? { unprobed } : {}) }];
  });
  if (roles.length < homes.length) {
    const problems = [...homes.flatMap((shard) => shard.problems), ...topology.problems];
    return `has no certain role: ${problems.join('; ')}`;
  }
  const first = topology.advertisedAddresses[node.name];
  return {
    name: node.name,
    instanceId: node.instanceId,
    addresses: [...new Set([...(first ? [first] : []), ...node.addresses])],
    port: node.port,
    roles,
    availabilityZone: node.availabilityZone,
    subnetId: node.subnetId,
    dataVolumeIds: node.dataVolumeIds,
  };
}

function unresolved(message: string): WorkflowError {
  return new WorkflowError(ErrorName.TargetsUnresolved, message);
}
