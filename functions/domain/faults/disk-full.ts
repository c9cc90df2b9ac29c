import * as z from 'zod';
import {
  exactlyOne,
  GIBIBYTE,
  MAX_BYTES,
  MEBIBYTE,
  NODE_LIST,
  nodeNames,
  PATTERN,
  percent,
  wholeNumber,
  yesOrNo,
} from './fields.ts';
import { hostKind } from './kind.ts';

const DEFAULT_RESERVE = 64 * MEBIBYTE;

export const diskFull = hostKind({
  kind: 'DISK_FULL',
  description:
    'Fills the volume of the data directory with an unlinked open file, which is freed by any death of its holder.',
  schema: z
    .strictObject({
      targetNodes: nodeNames,
      fillPct: percent(1).optional(),
      fillBytes: z.int().min(MEBIBYTE).max(MAX_BYTES).optional(),
      reserveBytes: z.int().min(0).max(MAX_BYTES).default(DEFAULT_RESERVE),
      allowRootVolume: z.boolean().default(false),
    })
    .refine(...exactlyOne('fillPct', 'fillBytes')),
  allowed: {
    targetNodes: NODE_LIST,
    fillPct: `${wholeNumber(1, 100)}: how full the volume is then; this or fillBytes`,
    fillBytes: `${wholeNumber(MEBIBYTE, MAX_BYTES)}; this or fillPct`,
    reserveBytes: `${wholeNumber(0, MAX_BYTES)}, which stay free; left out: ${DEFAULT_RESERVE}`,
    allowRootVolume: 'true, false; left out: false, and data on the root volume is a refusal',
  },
  faultState: 'DISK_FULL',
  example: { targetNodes: ['node-3'], fillBytes: GIBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'disk-space',
  document: {
    dataDirectory: { description: 'Directory on the volume.', pattern: `^${PATTERN.path}$` },
    fillPct: { description: 'How full, 1 to 100; 0: see fillBytes.', pattern: `^${PATTERN.percentOrZero}$` },
    fillBytes: { description: 'Bytes to fill; 0: see fillPct.', pattern: `^${PATTERN.digits(14)}$` },
    reserveBytes: { description: 'Bytes that stay free.', pattern: `^${PATTERN.digits(14)}$` },
    allowRootVolume: { description: 'May it be the root volume?', pattern: `^${PATTERN.yesOrNo}$` },
  },
  fence: false,
  command: ({ fillPct = 0, fillBytes = 0, reserveBytes, allowRootVolume }, _fault, { dataDirectory }) => ({
    parameters: {
      dataDirectory,
      fillPct: String(fillPct),
      fillBytes: String(fillBytes),
      reserveBytes: String(reserveBytes),
      allowRootVolume: yesOrNo(allowRootVolume),
    },
    undo: ['close the unlinked file: its space is free at once'],
  }),
});
