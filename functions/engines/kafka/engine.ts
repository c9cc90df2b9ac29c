import { portsOf } from '../../domain/configuration.ts';
import type { StoreTopology } from '../../domain/topology.ts';
import type { Engine, LossRefusal } from '../engine.ts';
import { replicaRules } from '../replica-rules.ts';
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
  activeControllers: {
    unit: 'controllers',
    what: 'controllers that lead the metadata quorum: 1, or 0 when no broker has heard of one for 3 s, as while one hangs and they wait for it',
  },
} as const satisfies Engine['healthMeasures'];

/**
 * A broker waits for a controller that hangs as long as its `controller.socket.timeout.ms` (30 s) says, although there is
 * another by then: until that has passed nobody may tell who votes.
 */
const CONTROLLER_SILENCE_SECONDS = 45;

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
    // Of metadata and logins each broker has a copy.
    answersAlone: true,
    // The quorum fences an old leader by its epoch: there is nothing to do on the host.
    fences: false,
    fenceParameters: () => ({}),
    ...rules,
    refuseDuring,
    refuseUnmeasured: (topology, impacted) => refuseUnmeasured(cluster.kafka.probeTopic, topology, impacted),
  };
}

/** Every partition that has a replica there keeps as many in sync as it needs to take writes, and the quorum a majority. */
const rules = replicaRules({
  noneKnown: 'no partition is known',
  beingMoved: (moved) => ({
    detail: `${moved.length} partitions are being reassigned, the first is ${moved[0]}`,
    numbers: { reassignedPartitions: moved.length },
  }),
  tooFew(short, kept, verb) {
    const [{ name, members, inSync, minInSync }] = short;
    if (name === QUORUM) {
      const partitions = short.length > 1 ? '; partitions would keep too few replicas too' : '';
      const detail = `${name} ${verb} ${kept} of ${members.length} controllers: not a majority${partitions}`;
      const numbers = { quorumVoters: members.length, remainingVoters: kept, majority: minInSync };
      return { detail, numbers: { ...numbers, partitionsConcerned: short.length - 1 } };
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
  },
});

/** While the fault lives a controller has to answer too. */
function refuseDuring(topology: StoreTopology, impacted: readonly string[]): LossRefusal | undefined {
  const refusal = rules.refuseDuring(topology, impacted);
  if (refusal || topology.replicaSets?.some(({ name }) => name === QUORUM)) return refusal;
  return { detail: 'no controller answers', numbers: {}, forSeconds: CONTROLLER_SILENCE_SECONDS };
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
