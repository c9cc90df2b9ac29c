import type { Fault } from './experiment.ts';
import { hitsWholeHost } from './faults/catalogue.ts';
import type { ResolvedFault, ShardRole, TargetNode } from './targets.ts';

/** What of a store the probe measures: one shard, as an application uses it. */
export interface ProbedShard {
  shard: string;
  members: readonly TargetNode[];
  /** Nodes of the shard that any fault of the experiment hits: the probe's writes must be on them before the first one. */
  impacted: readonly TargetNode[];
}

/** Another cluster may have a shard, and nodes, of the same names. */
export interface ShardName {
  cluster: string;
  shard: string;
}

/** Every shard with clients in which a fault hits a node, each once, in the order of the faults: the probe measures all of them. */
export function probedShards(
  faults: readonly Fault[],
  resolved: readonly ResolvedFault[],
): (ProbedShard & ShardName)[] {
  const hits = faults.flatMap((fault) =>
    targetsOf(fault, resolved).flatMap((targets) => {
      const hit = nodesHit(fault, targets);
      return shardsOf(hit, ({ unprobed }) => !unprobed).map((shard) => ({
        cluster: fault.cluster,
        shard,
        members: inShard(shard, [...targets.impacted, ...targets.shardMembers]),
        impacted: inShard(shard, hit),
      }));
    }),
  );
  const names = new Map(hits.map(({ cluster, shard }) => [JSON.stringify([cluster, shard]), { cluster, shard }]));
  return [...names.values()].map((name) => {
    const same = hits.filter((hit) => isSameShard(hit, name));
    const once = (nodes: readonly TargetNode[]) => [...new Map(nodes.map((node) => [node.name, node])).values()];
    return {
      ...name,
      members: once(same.flatMap(({ members }) => members)),
      impacted: once(same.flatMap(({ impacted }) => impacted)),
    };
  });
}

/** Names of the shards in which this fault hits a node. */
export function shardsHitBy(fault: Fault, resolved: readonly ResolvedFault[]): string[] {
  return shardsOf(nodesHitAtStart(fault, resolved));
}

export function isSameShard(one: ShardName, other: ShardName): boolean {
  return one.cluster === other.cluster && one.shard === other.shard;
}

/** For a person: names of shards alone would not tell two clusters apart. */
export function shardText({ cluster, shard }: ShardName): string {
  return `${shard} of ${cluster}`;
}

/** Every node that this fault hits, as it was found before the fault: the named ones, and all of a host that is hit whole. */
export function nodesHitAtStart(fault: Fault, resolved: readonly ResolvedFault[]): TargetNode[] {
  return targetsOf(fault, resolved).flatMap((targets) => nodesHit(fault, targets));
}

function targetsOf({ faultId }: Fault, resolved: readonly ResolvedFault[]): ResolvedFault[] {
  return resolved.filter((targets) => targets.faultId === faultId);
}

/** The named nodes, and of a fault on a whole host every node of it. */
function nodesHit({ kind }: Fault, { impacted, shardMembers }: ResolvedFault): TargetNode[] {
  if (!hitsWholeHost(kind)) return impacted;
  const hosts = impacted.map(({ instanceId }) => instanceId);
  return [...impacted, ...shardMembers.filter(({ instanceId }) => hosts.includes(instanceId))];
}

function shardsOf(nodes: readonly TargetNode[], wanted: (role: ShardRole) => boolean = () => true): string[] {
  return [...new Set(nodes.flatMap(({ roles }) => roles.filter(wanted).map(({ shard }) => shard)))];
}

function inShard(shard: string, nodes: readonly TargetNode[]): TargetNode[] {
  return nodes.filter(({ roles }) => roles.some((role) => role.shard === shard));
}
