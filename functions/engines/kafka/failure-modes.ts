import {
  type FailureMode,
  type RunFacts,
  shownByFlapping,
  shownByLateClients,
  shownByNoElection,
  shownBySum,
} from '../../domain/failure-modes.ts';

/** The unit in which an experiment counts how often a consumer group shared out its partitions anew. */
const REBALANCES = 'rebalances';
/** As the engine's health calls it. */
const CONTROLLERS = 'activeControllers';
/** The probe's own client asks every broker that it knows within 2 s of a failure. */
const METADATA_TOLERATED_SECONDS = 5;

/** Of Kafka with KRaft. */
export const KAFKA_FAILURE_MODES: readonly FailureMode[] = [
  {
    name: 'one acknowledgement',
    shownBy: (facts) => (facts.choices.acks === '1' ? shownBySum('lostAcknowledgedWrites', facts) : undefined),
    setting: 'acks=all for producers, and min.insync.replicas 2 for topics with three replicas',
  },
  {
    name: 'too few in-sync replicas',
    shownBy: (facts) => (facts.choices.acks === '1' ? undefined : shownBySum('lostAcknowledgedWrites', facts)),
    setting: 'min.insync.replicas 2 and unclean.leader.election.enable false',
  },
  {
    name: 'flapping after a pause',
    shownBy: (facts) => shownByFlapping('leaderChanges', facts),
    setting: 'broker.session.timeout.ms longer than the pauses to be tolerated',
  },
  {
    name: 'quorum lost',
    shownBy: shownByLostQuorum,
    setting:
      'controllers apart from brokers (process.roles), three or five of them, each in a zone of its own: a majority outlives any one zone',
  },
  {
    name: 'no new leader',
    shownBy: (facts) => shownByNoElection('leaderChanges', facts),
    setting:
      'a majority of controllers that the fault does not reach, another replica in sync, and broker.session.timeout.ms shorter than the outage to be tolerated',
  },
  {
    name: 'stale metadata',
    shownBy: (facts) => shownByLateClients(facts, METADATA_TOLERATED_SECONDS),
    setting:
      'brokers of every rack in bootstrap.servers, metadata.recovery.strategy=rebootstrap and a short metadata.max.age.ms in clients',
  },
  {
    name: 'consumer group rebalance',
    shownBy: ({ checks }) => {
      const failed = checks.find(
        ({ unit, result, tolerance, measured }) =>
          unit === REBALANCES &&
          result === 'FAILED' &&
          measured !== undefined &&
          measured > (tolerance.atMost ?? Infinity),
      );
      return failed?.measured === undefined
        ? undefined
        : { measure: failed.measure, value: failed.measured, unit: failed.unit };
    },
    setting:
      'session.timeout.ms of consumers longer than an election of their coordinator, static members (group.instance.id), and the cooperative or the consumer protocol',
  },
];

/**
 * No controller answered while writes failed, as a check of the experiment measured, and no leader was elected before the faults
 * began to end: where one controller follows another, leaders are.
 */
function shownByLostQuorum({ checks, shards, endingMs }: RunFacts): ReturnType<FailureMode['shownBy']> {
  const seen = checks.find((check) => check.measure === CONTROLLERS && check.measured === 0);
  const isElected = shards.some(({ phases }) =>
    phases.some(({ phase, at }) => phase === 'ELECTED' && Date.parse(at) < endingMs),
  );
  if (!seen || isElected || !shownBySum('failedWrites', { shards })) return undefined;
  return { measure: CONTROLLERS, value: 0, unit: seen.unit };
}
