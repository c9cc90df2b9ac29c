import type { KindCase } from '../kind-case.ts';
import { controlGroups, workers } from '../load.ts';

const HELD_BYTES = 96 * 1024 * 1024;

export const memoryPressure: KindCase = {
  kind: 'memory-pressure',
  runsIn: 'namespace',
  parameters: { memoryBytes: String(HELD_BYTES), memoryPct: '0', reserveBytes: String(64 * 1024 * 1024) },
  isThere: async (host) =>
    (await workers(host, 'hold_memory')).some(({ residentBytes }) => residentBytes >= HELD_BYTES),
  traces: (host) => controlGroups(host),
};
