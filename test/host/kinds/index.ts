import type { KindCase } from '../kind-case.ts';
import { clockDrift } from './clock-drift.ts';
import { cpuSpike } from './cpu-spike.ts';
import { diskFull } from './disk-full.ts';
import { diskIo } from './disk-io.ts';
import { memoryPressure } from './memory-pressure.ts';
import { networkLatency } from './network-latency.ts';
import { networkLoss } from './network-loss.ts';
import { networkPartition } from './network-partition.ts';
import { processKill } from './process-kill.ts';
import { processPause } from './process-pause.ts';

/** Every host kind: a test compares this list with the kinds there are. */
export const KIND_CASES: readonly KindCase[] = [
  networkPartition,
  networkLatency,
  networkLoss,
  processKill,
  processPause,
  cpuSpike,
  memoryPressure,
  diskFull,
  diskIo,
  clockDrift,
];
