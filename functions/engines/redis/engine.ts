import { portsOf, serverNameOf } from '../../domain/configuration.ts';
import { isInShard, type TargetNode } from '../../domain/targets.ts';
import { membersOf, type StoreTopology } from '../../domain/topology.ts';
import type { Engine, LossRefusal } from '../engine.ts';
import type { RedisCluster } from './configuration.ts';
import { REDIS_FAILURE_MODES } from './failure-modes.ts';
import type { REDIS_PARAMETERS } from './host-parameters.ts';

export const REDIS_HEALTH = {
  masters: { unit: 'nodes', what: 'nodes of the shard that say they are its master; two are a split brain' },
  onlineReplicas: {
    unit: 'replicas',
    what: 'replicas that the master has online and has heard of in the past 3 s',
  },
  failovers: {
    unit: 'failovers',
    what: 'other masters that the Sentinels named, one after the other, since the probe began',
  },
} as const satisfies Engine['healthMeasures'];

/** Redis with a Sentinel on every host: a shard is what the Sentinels call a master's name. */
export function redisEngine(cluster: RedisCluster): Engine {
  const { sentinelPort, minReplicasToWrite } = cluster.redis;
  return {
    ports: [...portsOf(cluster), sentinelPort],
    probeMeasures: [
      'writeLatencyMs',
      'readLatencyMs',
      'rtoSeconds',
      'unavailableSeconds',
      'lostAcknowledgedWrites',
      'staleReads',
    ],
    probeChoices: ['waitReplicas', 'follows'],
    failureModes: REDIS_FAILURE_MODES,
    healthMeasures: REDIS_HEALTH,
    tellsUptime: true,
    // Its host keeps clients away until the others say what it is.
    answersAlone: false,
    fences: true,
    refuseLoss: (topology, lost) => refuseLoss(topology, lost, minReplicasToWrite),
    // Also for a replica: by the time of the rollback it may be the master.
    fenceParameters(node, shardMembers): Record<keyof typeof REDIS_PARAMETERS, string> {
      const shard = node.roles[0]?.shard ?? '';
      const members = shardMembers.filter((member) => isInShard(member, shard));
      // The one Sentinel of a host once.
      const hosts = [...new Map(members.map((member) => [addressInUrl(member), member]))];
      const { tls } = cluster;
      return {
        fence: 'redis',
        fenceMasterName: shard,
        fenceSentinels: hosts.map(([address]) => `${address}:${sentinelPort}`).join(','),
        fenceCredentialsFile: cluster.hostCredentialsFile ?? '',
        fenceServerNames: tls
          ? [node, ...hosts.map(([, host]) => host)].map((each) => serverNameOf(tls, each)).join(',')
          : '',
        fenceCaFile: tls?.hostCaFile ?? '',
        fenceCertificateFile: tls?.clientCertificate?.hostCertificateFile ?? '',
        fenceKeyFile: tls?.clientCertificate?.hostKeyFile ?? '',
      };
    },
  };
}

/**
 * Without the lost nodes every shard keeps a majority of its nodes (who else could elect a master) and, one of the rest
 * being master, as many replicas as masters need to accept a write.
 */
function refuseLoss(
  { shards }: StoreTopology,
  lost: readonly string[],
  minReplicasToWrite: number,
): LossRefusal | undefined {
  for (const shard of shards) {
    const nodes = membersOf(shard);
    const remaining = nodes.filter((node) => !lost.includes(node)).length;
    if (remaining === nodes.length) continue;
    const numbers = { shard: shard.name, shardNodes: nodes.length, remainingNodes: remaining, minReplicasToWrite };
    if (2 * remaining <= nodes.length) {
      return { detail: `${shard.name} would keep ${remaining} of ${nodes.length} nodes: not a majority`, numbers };
    }
    if (remaining - 1 < minReplicasToWrite) {
      const detail = `${shard.name} would keep ${remaining - 1} replicas: its master needs ${minReplicasToWrite} to accept writes`;
      return { detail, numbers };
    }
  }
  return undefined;
}

/** The address under which the store knows the node; v6 in brackets, because a port follows. */
function addressInUrl({ name, addresses: [first] }: TargetNode): string {
  if (first === undefined) throw new Error(`node ${name}: has no address`);
  return first.includes(':') ? `[${first}]` : first;
}
