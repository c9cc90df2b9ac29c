import * as z from 'zod';
import { nodeNames, percent, wholeNumber } from './fields.ts';
import { FIS_NODE_LIST, wholeSeconds } from './instances.ts';
import { fisKind } from './kind.ts';
import { refuseVolumes, volumesOf } from './volumes.ts';

const MAX_MS = 60_000;

export const volumeLatency = fisKind({
  kind: 'VOLUME_LATENCY',
  description: 'Delays reads and writes of the data volumes of the node.',
  schema: z.strictObject({
    targetNodes: nodeNames,
    latencyMs: z.int().min(1).max(MAX_MS),
    // The service has no 0: a share that is left out of its template means all.
    readPct: percent(1).default(100),
    writePct: percent(1).default(100),
  }),
  allowed: {
    targetNodes: FIS_NODE_LIST,
    latencyMs: `${wholeNumber(1, MAX_MS)}; under 10 on io2 volumes only`,
    readPct: `${wholeNumber(1, 100)}, share of the reads; left out: 100`,
    writePct: `${wholeNumber(1, 100)}, share of the writes; left out: 100`,
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
