import type { ReplicaSet } from '../../domain/topology.ts';
import { type CassandraCluster, demandOf } from './configuration.ts';
import { demandsOf } from './levels.ts';
import type { Liveness } from './liveness.ts';
import type { Members } from './members.ts';
import { factorsOf, rangesOf } from './ring.ts';
import type { Keyspace } from './views.ts';

export const REPLICA = 'replica';

/** What must stay alive of all keyspaces, range by range; and keyspaces of which that cannot be said. */
export function replicaSetsOf(
  cassandra: Pick<CassandraCluster['cassandra'], 'keyspaces'>,
  keyspaces: readonly Keyspace[],
  members: Members,
  { isSeen }: Pick<Liveness, 'isSeen'>,
  streaming: ReadonlySet<string>,
): { replicaSets: ReplicaSet[]; problems: string[] } {
  const problems: string[] = [];
  const replicaSets = keyspaces.flatMap((keyspace): ReplicaSet[] => {
    const demand = demandOf(cassandra, keyspace.name);
    if (!demand) return [];
    const [factors, ranges] = [factorsOf(keyspace), rangesOf(members.ring, keyspace)];
    if (!factors || !ranges) {
      const how = [keyspace.strategy, ...Object.entries(keyspace.factors).map((each) => each.join(' '))].join(', ');
      problems.push(
        `nobody here knows which nodes hold ${keyspace.name} (${how}): name it in cassandra.keyspaces with ANY`,
      );
      return [];
    }
    const datacenters = [...factors.byDatacenter.keys()];
    const clientsIn = demand.datacenters ?? datacenters;
    const unknown = clientsIn.filter((name) => datacenters.length > 0 && !factors.byDatacenter.has(name));
    if (unknown.length > 0)
      problems.push(`${keyspace.name} has no copy in ${unknown.join(', ')} (cassandra.keyspaces)`);
    return ranges.flatMap(({ token, replicas }) =>
      demandsOf(demand.consistency, factors, clientsIn).map(({ datacenter, needed }): ReplicaSet => {
        const hosts = datacenter === undefined ? Object.values(replicas).flat() : (replicas[datacenter] ?? []);
        const place = datacenter ?? (datacenters.length === 1 ? datacenters[0] : undefined);
        return {
          name: [keyspace.name, place, ranges.length > 1 ? token : undefined]
            .filter((part) => part !== undefined)
            .join('-'),
          members: hosts.map(members.nameOf),
          inSync: hosts.filter(isSeen).flatMap((hostId) => members.nodeOf(hostId) ?? []),
          memberRole: REPLICA,
          minInSync: needed,
          neededFor: `${demand.consistency} of ${keyspace.name}`,
          ...(hosts.some((hostId) => streaming.has(hostId)) ? { isReassigned: true } : {}),
        };
      }),
    );
  });
  return { replicaSets, problems };
}
