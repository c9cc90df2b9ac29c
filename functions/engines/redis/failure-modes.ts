import { type FailureMode, shownByFlapping, shownByNoElection, shownBySum } from '../../domain/failure-modes.ts';

/** Of Redis with Sentinel. */
export const REDIS_FAILURE_MODES: readonly FailureMode[] = [
  {
    name: 'split brain',
    shownBy: (facts) =>
      facts.faults.some(({ kind }) => kind === 'NETWORK_PARTITION')
        ? shownBySum('lostAcknowledgedWrites', facts)
        : undefined,
    setting: 'min-replicas-to-write 1 and min-replicas-max-lag 10 or less; WAIT 1 for writes that must not be lost',
  },
  {
    name: 'asynchronous replication',
    shownBy: (facts) =>
      facts.faults.some(({ kind }) => kind === 'NETWORK_PARTITION')
        ? undefined
        : shownBySum('lostAcknowledgedWrites', facts),
    setting: 'WAIT 1 for writes that must not be lost: a master acknowledges before its replicas have a write',
  },
  {
    name: 'flapping after a pause',
    shownBy: (facts) => shownByFlapping('failovers', facts),
    setting: 'down-after-milliseconds longer than the pauses to be tolerated, and failover-timeout not shorter than it',
  },
  {
    name: 'no failover',
    shownBy: (facts) => shownByNoElection('failovers', facts),
    setting:
      'a quorum, and a majority, of Sentinels that the fault does not reach, a replica with replica-priority above 0, and down-after-milliseconds shorter than the outage to be tolerated',
  },
];
