import type { KindCase } from '../kind-case.ts';
import { controlGroups, ratePerSecond } from '../load.ts';

export const cpuSpike: KindCase = {
  kind: 'cpu-spike',
  runsIn: 'namespace',
  parameters: { cores: '1', loadPct: '15' },
  // Any at all: others use the machine, too.
  isThere: async (host) => (await ratePerSecond(host, 'cpu_load', ({ cpuSeconds }) => cpuSeconds, 0.4)) > 0,
  traces: (host) => controlGroups(host),
};
