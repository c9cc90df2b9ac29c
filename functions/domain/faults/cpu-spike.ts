import { hostKind } from './define-kind.ts';
import { byDefault, nodeNames, percent, wholeNumber } from './fields.ts';

export const cpuSpike = hostKind({
  kind: 'CPU_SPIKE',
  description: 'Loads cores of the node, in a control group that can take no more than was asked for.',
  fields: {
    targetNodes: nodeNames,
    cores: wholeNumber('cores to load, no more than the node has', { min: 1, max: 512 }),
    loadPct: byDefault(100, percent('share of each of the cores')),
  },
  faultState: 'CPU_LOADED',
  example: { targetNodes: ['node-3'], cores: 1, loadPct: 80 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'cpu',
  fence: false,
  undo: () => ['end the load and remove its control group'],
});
