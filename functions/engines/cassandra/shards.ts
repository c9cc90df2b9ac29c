import type { Shard } from '../../domain/topology.ts';
import type { CassandraCluster } from './configuration.ts';
import type { Liveness } from './liveness.ts';
import type { Members } from './members.ts';
import { REPLICA } from './replica-sets.ts';
import { rangesOf } from './ring.ts';
import type { Keyspace, NodeAnswer } from './views.ts';

export const SEED = 'seed';

/** What the probe measures is one of these: its keyspace, as clients of one datacenter use it. */
export function shardName(probeKeyspace: string, datacenter: string): string {
  return `${probeKeyspace}-${datacenter}`;
}

/** Those who hold the probe's keyspace, by datacenter. Who does not answer, or is not seen to be alive, has no certain role. */
export function shardsOf(
  keyspace: Keyspace,
  members: Members,
  { isSeen }: Pick<Liveness, 'isSeen'>,
  answers: readonly NodeAnswer[],
  seeds: ReadonlySet<string>,
): Shard[] {
  const ranges = rangesOf(members.ring, keyspace) ?? [];
  const holders = new Set(ranges.flatMap(({ replicas }) => Object.values(replicas).flat()));
  const answering = new Set(answers.map(({ self }) => self.hostId));
  const byDatacenter = Map.groupBy(
    members.ring.filter(({ hostId }) => holders.has(hostId)),
    ({ datacenter }) => datacenter,
  );
  return [...byDatacenter].sort().map(([datacenter, own]) => ({
    name: shardName(keyspace.name, datacenter),
    members: own
      .map(({ hostId }) => {
        const node = members.nameOf(hostId);
        const isKnown = answering.has(hostId) && isSeen(hostId);
        return { node, ...(isKnown ? { role: seeds.has(node) ? SEED : REPLICA } : {}) };
      })
      .sort((one, other) => (one.node < other.node ? -1 : 1)),
    problems: [],
  }));
}

/** What makes the probe's table, for who has to make it. */
export function creationOf(
  { probeKeyspace, probeTable }: Pick<CassandraCluster['cassandra'], 'probeKeyspace' | 'probeTable'>,
  { ring }: Pick<Members, 'ring'>,
): string {
  const counts = Map.groupBy(ring, ({ datacenter }) => datacenter);
  const factors = [...counts].sort().map(([name, own]) => `'${name}': ${Math.min(3, own.length)}`);
  return `CREATE KEYSPACE IF NOT EXISTS ${probeKeyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}}; CREATE TABLE IF NOT EXISTS ${probeKeyspace}.${probeTable} (${PROBE_COLUMNS})`;
}

const PROBE_COLUMNS = 'key text PRIMARY KEY, value text';
