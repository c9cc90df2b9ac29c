import { type FailureMode, shownByFlapping, shownBySum } from '../../domain/failure-modes.ts';

/** Of Cassandra, where the latest timestamp wins. */
export const CASSANDRA_FAILURE_MODES: readonly FailureMode[] = [
  {
    name: 'clock order inversion',
    shownBy: (facts) => shownBySum('overwrittenWrites', facts),
    setting:
      'timestamps from one clock (of the client), or lightweight transactions where order counts; clocks held by NTP',
  },
  {
    name: 'resurrected data',
    shownBy: (facts) => shownBySum('resurrectedWrites', facts),
    setting: 'repair within gc_grace_seconds of every node that was away',
  },
  {
    name: 'default client profile',
    shownBy: (facts) => (facts.choices.client === 'default' ? shownBySum('failedWrites', facts) : undefined),
    setting:
      'readTimeout 1000, isIdempotent, and speculative execution in the driver: its defaults wait 12 s for a silent node',
  },
  {
    name: 'flapping after a pause',
    shownBy: (facts) => shownByFlapping('convictions', facts),
    setting: 'phi_convict_threshold higher than the pauses to be tolerated ask for',
  },
];
