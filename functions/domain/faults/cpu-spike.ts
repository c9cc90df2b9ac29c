import * as z from 'zod';
import { NODE_LIST, nodeNames, PATTERN, percent, wholeNumber } from './fields.ts';
import { hostKind } from './kind.ts';

const MAX_CORES = 512;

export const cpuSpike = hostKind({
  kind: 'CPU_SPIKE',
  description: 'Loads cores of the node, in a control group that can take no more than was asked for.',
  schema: z.strictObject({
    targetNodes: nodeNames,
    cores: z.int().min(1).max(MAX_CORES),
    loadPct: percent(1).default(100),
  }),
  allowed: {
    targetNodes: NODE_LIST,
    cores: `${wholeNumber(1, MAX_CORES)}; no more than the node has`,
    loadPct: `${wholeNumber(1, 100)}, of each of the cores; left out: 100`,
  },
  faultState: 'CPU_LOADED',
  example: { targetNodes: ['node-3'], cores: 1, loadPct: 80 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'cpu',
  document: {
    cores: { description: 'Cores that are loaded, 1 to 512.', pattern: '^[1-9][0-9]{0,2}$' },
    loadPct: { description: 'Share of each core, 1 to 100.', pattern: `^${PATTERN.percent}$` },
  },
  fence: false,
  command: ({ cores, loadPct }) => ({
    parameters: { cores: String(cores), loadPct: String(loadPct) },
    undo: ['end the load and remove its control group'],
  }),
});
