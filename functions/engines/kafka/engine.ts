import { portsOf } from '../../domain/configuration.ts';
import type { ReplicaSet, StoreTopology } from '../../domain/topology.ts';
import type { Engine, LossRefusal } from '../engine.ts';
import type { KafkaCluster } from './configuration.ts';
import { KAFKA_FAILURE_MODES } from './failure-modes.ts';
import { ELECT, leadingNone } from './probe-topic.ts';
import { QUORUM } from './quorum.ts';

export const KAFKA_HEALTH = {
  inSyncFollowers: { unit: 'replicas', what: 'followers of the partition that have all of it, by its leader’s word' },
  leaderChanges: {
    unit: 'changes',
    what: 'other leaders that partitions of the probe’s topic were given since the probe began',
  },
  fencedBrokers: {
    unit: 'brokers',
    what: 'brokers with a copy of the partition that the controller does not take for alive',
  },
} as const satisfies Engine['healthMeasures'];

/**
 * A broker waits for a controller that hangs as long as its `controller.socket.timeout.ms` (30 s) says, although there is
 * another by then: until that has passed nobody may tell who votes.
 */
const CONTROLLER_SILENCE_SECONDS = 45;
/** A broker that was slow once has not gone. */
const SILENCE_SECONDS = 3;

/** Kafka with KRaft: its data are the partitions of all topics, and the controllers' metadata log. */
export function kafkaEngine(cluster: KafkaCluster): Engine {
  const { brokerPort, controllerPort } = cluster.kafka;
  return {
    ports: [...portsOf(cluster), ...[brokerPort].flat(), ...[controllerPort].flat()],
    probeMeasures: [
      'writeLatencyMs',
      'readLatencyMs',
      'consumerLagMs',
      'rtoSeconds',
      'unavailableSeconds',
      'lostAcknowledgedWrites',
      'staleReads',
      'duplicatedRecords',
      'reorderedRecords',
    ],
    probeChoices: ['acks'],
    failureModes: KAFKA_FAILURE_MODES,
    healthMeasures: KAFKA_HEALTH,
    // Nothing in its protocol says when a broker was started.
    tellsUptime: false,
    // The quorum fences an old leader by its epoch: there is nothing to do on the host.
    fences: false,
    fenceParameters: () => ({}),
    refuseLoss,
    refuseDuring,
    refuseUnmeasured: (topology, impacted) => refuseUnmeasured(cluster.kafka.probeTopic, topology, impacted),
    startsNext,
  };
}

/**
 * Without the lost nodes every partition that has a replica there keeps as many in sync as it needs to take writes, one at
 * least, and the quorum a majority.
 */
function refuseLoss({ replicaSets = [] }: StoreTopology, lost: readonly string[]): LossRefusal | undefined {
  if (replicaSets.length === 0) return { detail: 'no partition is known', numbers: {} };
  return tooFewRemain(
    replicaSets.filter(({ members }) => members.some((node) => lost.includes(node))),
    lost,
    'would keep',
  );
}

/**
 * While the fault lives the impacted nodes may be gone from the in-sync sets. Nobody else may: what is left without them
 * must be enough everywhere, every other broker answers, and nothing is being moved.
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
    const detail = `${moved.length} partitions are being reassigned, the first is ${moved[0]}`;
    return { detail, numbers: { reassignedPartitions: moved.length } };
  }
  const refusal = tooFewRemain(replicaSets, impacted, 'has, beside the impacted nodes,');
  if (refusal) return refusal;
  if (replicaSets.some(({ name }) => name === QUORUM)) return undefined;
  return { detail: 'no controller answers', numbers: {}, forSeconds: CONTROLLER_SILENCE_SECONDS };
}

/** The first set that is left too few, with how many there are. */
function tooFewRemain(sets: readonly ReplicaSet[], without: readonly string[], verb: string): LossRefusal | undefined {
  const remaining = ({ inSync }: ReplicaSet) => inSync.filter((node) => !without.includes(node)).length;
  const short = sets.filter((set) => remaining(set) < Math.max(set.minInSync, 1));
  const [first] = short;
  if (!first) return undefined;
  const { name, members, inSync, minInSync } = first;
  const kept = remaining(first);
  if (name === QUORUM) {
    const detail = `${name} ${verb} ${kept} of ${members.length} controllers: not a majority`;
    return { detail, numbers: { quorumVoters: members.length, remainingVoters: kept, majority: minInSync } };
  }
  const others = short.length > 1 ? `, and so have ${short.length - 1} others` : '';
  return {
    detail: `${name} ${verb} ${kept} of ${members.length} replicas in sync: its min.insync.replicas is ${minInSync}${others}`,
    numbers: {
      partition: name,
      replicas: members.length,
      inSyncReplicas: inSync.length,
      remainingInSyncReplicas: kept,
      minInsyncReplicas: minInSync,
      partitionsConcerned: short.length,
    },
  };
}

/** Where an impacted broker leads no partition of the probe, its failover would not be measured. */
function refuseUnmeasured(
  probeTopic: string,
  { shards }: StoreTopology,
  impacted: readonly string[],
): LossRefusal | undefined {
  const idle = leadingNone(shards, impacted);
  if (idle.length === 0) return undefined;
  const detail = `${idle.join(', ')} leads no partition of ${probeTopic}, so nobody would see what clients lose with it: ${ELECT}`;
  return { detail, numbers: { leadingNone: idle } };
}

/**
 * A broker that ended itself (its log directories failed) is started while every other is well, and after those that were
 * started before are in sync again everywhere.
 */
function startsNext(
  { replicaSets = [], silentNodes = [] }: StoreTopology,
  impacted: readonly string[],
): string | undefined {
  const stopped = silentNodes.filter((node) => impacted.includes(node));
  if (replicaSets.length === 0 || stopped.length < silentNodes.length) return undefined;
  const othersAreInSync = replicaSets.every(({ members, inSync }) =>
    members.every((node) => inSync.includes(node) || stopped.includes(node)),
  );
  return othersAreInSync ? stopped[0] : undefined;
}
