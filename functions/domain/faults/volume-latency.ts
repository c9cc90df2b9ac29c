import { fisKind } from './define-kind.ts';
import { byDefault, percent, wholeNumber } from './fields.ts';
import { fisNodeNames, wholeSeconds } from './instances.ts';
import { refuseVolumes, volumesOf } from './volumes.ts';

export const volumeLatency = fisKind({
  kind: 'VOLUME_LATENCY',
  description: 'Delays reads and writes of the data volumes of the node.',
  fields: {
    targetNodes: fisNodeNames,
    latencyMs: wholeNumber('added to every read and write; under 10 on io2 volumes only', { min: 1, max: 60_000 }),
    // The service has no 0: a share that is left out of its template means all.
    readPct: byDefault(100, percent('share of the reads')),
    writePct: byDefault(100, percent('share of the writes')),
  },
  faultState: 'IO_DELAYED',
  example: { targetNodes: ['node-3'], latencyMs: 200, readPct: 50 },
  resource: 'volume',
  impactedNodes: ({ targetNodes }) => targetNodes,
  refuseTargets: (_parameters, fault) => refuseVolumes(fault),
  action: ({ latencyMs, readPct, writePct }, fault, remainingSeconds) => ({
    actionId: 'aws:ebs:volume-io-latency',
    parameters: {
      readIOPercentage: String(readPct),
      readIOLatencyMilliseconds: String(latencyMs),
      writeIOPercentage: String(writePct),
      writeIOLatencyMilliseconds: String(latencyMs),
      duration: wholeSeconds(remainingSeconds),
    },
    target: volumesOf(fault),
    undo: ['stop the FIS experiment: the volumes are as fast as before'],
    boundSeconds: remainingSeconds,
  }),
});
