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
} from './fields.ts';
import { hostKind } from './kind.ts';

const DEFAULT_RESERVE = 256 * MEBIBYTE;
const MIN_RESERVE = 64 * MEBIBYTE;

export const memoryPressure = hostKind({
  kind: 'MEMORY_PRESSURE',
  description:
    'Holds memory of the node and stops short of a reserve; the load is the first the kernel ends when memory is short.',
  schema: z
    .strictObject({
      targetNodes: nodeNames,
      memoryBytes: z.int().min(MEBIBYTE).max(MAX_BYTES).optional(),
      memoryPct: percent(1, 95).optional(),
      reserveBytes: z.int().min(MIN_RESERVE).max(MAX_BYTES).default(DEFAULT_RESERVE),
    })
    .refine(...exactlyOne('memoryBytes', 'memoryPct')),
  allowed: {
    targetNodes: NODE_LIST,
    memoryBytes: `${wholeNumber(MEBIBYTE, MAX_BYTES)}; this or memoryPct`,
    memoryPct: `${wholeNumber(1, 95)}, of the memory of the node; this or memoryBytes`,
    reserveBytes: `${wholeNumber(MIN_RESERVE, MAX_BYTES)}, which stay available; left out: ${DEFAULT_RESERVE}`,
  },
  faultState: 'MEMORY_PRESSED',
  example: { targetNodes: ['node-3'], memoryBytes: GIBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'memory',
  document: {
    memoryBytes: { description: 'Bytes to hold; 0: see memoryPct.', pattern: `^${PATTERN.digits(14)}$` },
    memoryPct: { description: 'Share of the memory, 1 to 95; 0: see memoryBytes.', pattern: '^([0-9]|[1-9][0-9])$' },
    reserveBytes: { description: 'Bytes that stay available.', pattern: '^[1-9][0-9]{0,13}$' },
  },
  fence: false,
  command: ({ memoryBytes = 0, memoryPct = 0, reserveBytes }) => ({
    parameters: {
      memoryBytes: String(memoryBytes),
      memoryPct: String(memoryPct),
      reserveBytes: String(reserveBytes),
    },
    undo: ['give the memory back and remove its control group'],
  }),
});
