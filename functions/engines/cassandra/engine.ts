import { portsOf } from '../../domain/configuration.ts';
import type { StoreTopology } from '../../domain/topology.ts';
import type { Engine, LossRefusal, Settling, SettlingFault } from '../engine.ts';
import { SILENCE_SECONDS } from '../refuse-silent.ts';
import { replicaRules } from '../replica-rules.ts';
import type { CassandraCluster } from './configuration.ts';
import { CASSANDRA_FAILURE_MODES } from './failure-modes.ts';
import { SEED } from './shards.ts';

export const CASSANDRA_HEALTH = {
  liveReplicas: {
    unit: 'nodes',
    what: 'nodes of the datacenter whose heartbeat moves, as another node sees it; with those that join it meanwhile',
  },
  pendingHints: {
    unit: 'nodes',
    what: 'nodes of the datacenter for which another node keeps writes that they have not had yet',
  },
  convictions: {
    unit: 'times',
    what: 'times that a node of the datacenter was called DOWN by the failure detector of another one since the probe began',
  },
} as const satisfies Engine['healthMeasures'];

const NONE_KNOWN = 'no token range is known';

/** Cassandra: its data are the token ranges of all keyspaces, each on as many nodes as the keyspace is replicated. */
export function cassandraEngine(cluster: CassandraCluster): Engine {
  const { storagePort, tlsStoragePort } = cluster.cassandra;
  return {
    ports: [...portsOf(cluster), storagePort, ...(tlsStoragePort === undefined ? [] : [tlsStoragePort])],
    probeMeasures: [
      'writeLatencyMs',
      'readLatencyMs',
      'rtoSeconds',
      'unavailableSeconds',
      'lostAcknowledgedWrites',
      'staleReads',
      'overwrittenWrites',
      'resurrectedWrites',
      'unacknowledgedWrites',
    ],
    probeChoices: ['consistency', 'client', 'timestamps'],
    failureModes: CASSANDRA_FAILURE_MODES,
    healthMeasures: CASSANDRA_HEALTH,
    // No view says when a node was started; its generation in gossip does, and a clock that drifts moves that.
    tellsUptime: false,
    // Logins are data, and have a majority to lose.
    answersAlone: false,
    // Nobody leads, so nobody can be an old leader.
    fences: false,
    fenceParameters: () => ({}),
    minHealthCheckGraceSeconds: cluster.cassandra.minHealthCheckGraceSeconds,
    settlesAfter,
    refuseTermination,
    ...rules,
    refuseDuring,
    whenNotBack:
      'a commit log that does not replay (Mutation checksum failure, CommitLogReplayException) keeps it down: docs/engines/cassandra.md#a-commit-log-that-does-not-replay',
  };
}

/** Every token range that has a replica there keeps as many alive as its keyspace's consistency level asks for. */
const rules = replicaRules({
  noneKnown: NONE_KNOWN,
  beingMoved: (moved) => ({
    detail: `data are being streamed, of ${moved.length} sets of replicas, the first is ${moved[0]}`,
    numbers: { streamedReplicaSets: moved.length },
  }),
  tooFew(short, kept, verb) {
    const [{ name, members, inSync, minInSync, neededFor = 'its consistency level' }] = short;
    const others = short.length > 1 ? `, and so have ${short.length - 1} others` : '';
    return {
      detail: `${name} ${verb} ${kept} of ${members.length} replicas alive: ${neededFor} needs ${Math.max(minInSync, 1)}${others}`,
      numbers: {
        replicaSet: name,
        replicas: members.length,
        liveReplicas: inSync.length,
        remainingReplicas: kept,
        neededReplicas: minInSync,
        replicaSetsConcerned: short.length,
      },
    };
  },
});

/** While the fault lives somebody has to know the token ranges too. */
function refuseDuring(topology: StoreTopology, impacted: readonly string[]): LossRefusal | undefined {
  const refusal = rules.refuseDuring(topology, impacted);
  if (refusal || topology.replicaSets?.length) return refusal;
  return { detail: NONE_KNOWN, numbers: {}, forSeconds: SILENCE_SECONDS };
}

/** A seed copies nothing when it starts, and everybody else is configured with it. */
function refuseTermination({ shards }: StoreTopology, nodes: readonly string[]): string | undefined {
  const members = shards.flatMap((shard) => shard.members);
  const seeds = nodes.filter((node) => members.some((member) => member.node === node && member.role === SEED));
  if (seeds.length === 0) return undefined;
  return `${seeds.join(', ')}: a seed, in whose place no new node can start; terminate one that is none`;
}

/**
 * A node gives no write an earlier time stamp than the one before, so after a clock that was ahead has been set back it goes on
 * from where that had been, and whatever it wrote wins against others until then.
 */
function settlesAfter(faults: readonly SettlingFault[]): Settling[] {
  return faults.flatMap(({ faultId, parameters, impactedNodes }) => {
    const aheadMs = parameters.kind === 'CLOCK_DRIFT' ? Number(parameters.offsetMs) : 0;
    if (aheadMs <= 0) return [];
    const why = `its own time stamps stay up to ${aheadMs} ms ahead, and win against later writes; a restart of the node ends that only for what it writes from then on`;
    return [{ faultId, nodes: impactedNodes, seconds: aheadMs / 1000, why }];
  });
}
