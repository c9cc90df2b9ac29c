import { hostKind } from './define-kind.ts';
import { byDefault, GIBIBYTE, MAX_BYTES, MEBIBYTE, nodeNames, optional, percent, wholeNumber } from './fields.ts';
import { rule } from './rules.ts';

export const memoryPressure = hostKind({
  kind: 'MEMORY_PRESSURE',
  description:
    'Holds memory of the node and stops short of a reserve; the load is the first the kernel ends when memory is short.',
  fields: {
    targetNodes: nodeNames,
    memoryBytes: optional(wholeNumber('bytes to hold', { min: MEBIBYTE, max: MAX_BYTES })),
    memoryPct: optional(percent('share of the memory of the node', { max: 95 })),
    reserveBytes: byDefault(
      256 * MEBIBYTE,
      wholeNumber('bytes that stay available', { min: 64 * MEBIBYTE, max: MAX_BYTES }),
    ),
  },
  rules: [rule('exactlyOne', 'memoryBytes', 'memoryPct')],
  faultState: 'MEMORY_PRESSED',
  example: { targetNodes: ['node-3'], memoryBytes: GIBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'memory',
  fence: false,
  undo: () => ['give the memory back and remove its control group'],
});
