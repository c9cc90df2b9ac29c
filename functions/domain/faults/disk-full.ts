import { DATA_DIRECTORY } from './data-directory.ts';
import { hostKind } from './define-kind.ts';
import {
  byDefault,
  GIBIBYTE,
  MAX_BYTES,
  MEBIBYTE,
  nodeNames,
  optional,
  percent,
  wholeNumber,
  yesNo,
} from './fields.ts';
import { rule } from './rules.ts';

export const diskFull = hostKind({
  kind: 'DISK_FULL',
  description:
    'Fills the volume of the data directory with an unlinked open file, which is freed by any death of its holder.',
  fields: {
    targetNodes: nodeNames,
    fillPct: optional(percent('how full the volume is then')),
    fillBytes: optional(wholeNumber('bytes to fill', { min: MEBIBYTE, max: MAX_BYTES })),
    reserveBytes: byDefault(64 * MEBIBYTE, wholeNumber('bytes that stay free', { min: 0, max: MAX_BYTES })),
    allowRootVolume: byDefault(false, yesNo('whether data on the root volume is no reason to refuse')),
  },
  rules: [rule('exactlyOne', 'fillPct', 'fillBytes')],
  faultState: 'DISK_FULL',
  example: { targetNodes: ['node-3'], fillBytes: GIBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'disk-space',
  context: { dataDirectory: DATA_DIRECTORY },
  fence: false,
  undo: () => ['close the unlinked file: its space is free at once'],
});
