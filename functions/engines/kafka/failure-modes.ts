import { type FailureMode, shownByFlapping, shownBySum } from '../../domain/failure-modes.ts';

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
];
