import { portsOf } from '../../domain/configuration.ts';
import type { ReplicaSet, StoreTopology } from '../../domain/topology.ts';
import type { Engine, LossRefusal, Settling } from '../engine.ts';
import type { CassandraCluster } from './configuration.ts';
import { CASSANDRA_FAILURE_MODES } from './failure-modes.ts';

export const CASSANDRA_HEALTH = {
  liveReplicas: {
    unit: 'nodes',
    what: 'nodes of the datacenter whose heartbeat moves, as another node sees it',
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

/** A node that was slow once has not gone. */
const SILENCE_SECONDS = 3;

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
    ],
    probeChoices: ['consistency', 'client', 'timestamps'],
    failureModes: CASSANDRA_FAILURE_MODES,
    healthMeasures: CASSANDRA_HEALTH,
    // No view says when a node was started; its generation in gossip does, and a clock that drifts moves that.
    tellsUptime: false,
    // Nobody leads, so nobody can be an old leader.
    fences: false,
    fenceParameters: () => ({}),
    minHealthCheckGraceSeconds: cluster.cassandra.minHealthCheckGraceSeconds,
    settlesAfter,
    refuseLoss,
    refuseDuring,
    startsNext,
  };
}

/** Without the lost nodes every token range that has a replica there keeps as many as its keyspace's consistency level asks for. */
function refuseLoss({ replicaSets = [] }: StoreTopology, lost: readonly string[]): LossRefusal | undefined {
  if (replicaSets.length === 0) return { detail: 'no token range is known', numbers: {} };
  return tooFewRemain(
    replicaSets.filter(({ members }) => members.some((node) => lost.includes(node))),
    lost,
    'would keep',
  );
}

/**
 * While the fault lives the impacted nodes may stand still. Nobody else may: what is left without them must be enough
 * everywhere, every other node answers, and no data are streamed, because that takes the bandwidth of those who serve.
 */
function refuseDuring(
  { replicaSets = [], silentNodes = [] }: StoreTopology,
  impacted: readonly string[],
): LossRefusal | undefined {
  const silent = silentNodes.filter((node) => !impacted.includes(node));
  if (silent.length > 0) {
    const detail = `${silent.join(', ')} does not answer, and no fault is on it`;
    return { detail, numbers: { silentNodes: silent }, forSeconds: SILENCE_SECONDS };
  }
  const moved = replicaSets.filter(({ isReassigned }) => isReassigned).map(({ name }) => name);
  if (moved.length > 0) {
    const detail = `data are being streamed, of ${moved.length} sets of replicas, the first is ${moved[0]}`;
    return { detail, numbers: { streamedReplicaSets: moved.length } };
  }
  if (replicaSets.length === 0) return { detail: 'no token range is known', numbers: {}, forSeconds: SILENCE_SECONDS };
  return tooFewRemain(replicaSets, impacted, 'has, beside the impacted nodes,');
}

/**
 * A node that ended itself, or shut itself after an error of its disk, is started or opened on its host while every other is
 * well, and after those before it are alive again.
 */
function startsNext(
  { replicaSets = [], silentNodes = [] }: StoreTopology,
  impacted: readonly string[],
): string | undefined {
  const stopped = silentNodes.filter((node) => impacted.includes(node));
  if (replicaSets.length === 0 || stopped.length < silentNodes.length) return undefined;
  const othersLive = replicaSets.every(({ members, inSync }) =>
    members.every((node) => inSync.includes(node) || stopped.includes(node)),
  );
  return othersLive ? stopped[0] : undefined;
}

/**
 * A node gives no write an earlier time stamp than the one before, so after a clock that was ahead has been set back it goes on
 * from where that had been, and whatever it wrote wins against others until then.
 */
function settlesAfter(faults: Parameters<NonNullable<Engine['settlesAfter']>>[0]): Settling[] {
  return faults.flatMap(({ faultId, parameters, impactedNodes }) =>
    parameters.kind !== 'CLOCK_DRIFT' || parameters.offsetMs <= 0
      ? []
      : [
          {
            ...{ faultId, nodes: impactedNodes, seconds: parameters.offsetMs / 1000 },
            why: `its own time stamps stay up to ${parameters.offsetMs} ms ahead, and win against later writes; a restart of the node ends that only for what it writes from then on`,
          },
        ],
  );
}

/** The first set that is left too few, with how many there are. */
function tooFewRemain(sets: readonly ReplicaSet[], without: readonly string[], verb: string): LossRefusal | undefined {
  const remaining = ({ inSync }: ReplicaSet) => inSync.filter((node) => !without.includes(node)).length;
  const short = sets.filter((set) => remaining(set) < Math.max(set.minInSync, 1));
  const [first] = short;
  if (!first) return undefined;
  const { name, members, inSync, minInSync, neededFor = 'its consistency level' } = first;
  const kept = remaining(first);
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
}
