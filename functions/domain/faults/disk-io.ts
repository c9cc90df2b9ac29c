import * as z from 'zod';
import { GIBIBYTE, MEBIBYTE, NODE_LIST, nodeNames, PATTERN, wholeNumber } from './fields.ts';
import { hostKind } from './kind.ts';

const MAX_WORKERS = 16;
const MAX_RATE = 4 * GIBIBYTE;

export const diskIo = hostKind({
  kind: 'DISK_IO',
  description: 'Writes to and reads from the volume of the data directory, never faster than was asked for.',
  schema: z.strictObject({
    targetNodes: nodeNames,
    workers: z.int().min(1).max(MAX_WORKERS).default(1),
    /** All workers together. */
    bytesPerSecond: z.int().min(MEBIBYTE).max(MAX_RATE),
  }),
  allowed: {
    targetNodes: NODE_LIST,
    workers: `${wholeNumber(1, MAX_WORKERS)}; left out: 1`,
    bytesPerSecond: `${wholeNumber(MEBIBYTE, MAX_RATE)}, all workers together`,
  },
  faultState: 'DISK_LOADED',
  example: { targetNodes: ['node-3'], workers: 2, bytesPerSecond: 20 * MEBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'disk-io',
  document: {
    dataDirectory: { description: 'Directory on the volume.', pattern: `^${PATTERN.path}$` },
    workers: { description: 'Processes, 1 to 16.', pattern: '^([1-9]|1[0-6])$' },
    bytesPerSecond: { description: 'Bytes a second, all workers together.', pattern: '^[1-9][0-9]{0,9}$' },
  },
  fence: false,
  command: ({ workers, bytesPerSecond }, _fault, { dataDirectory }) => ({
    parameters: { dataDirectory, workers: String(workers), bytesPerSecond: String(bytesPerSecond) },
    undo: ['end the load; its files are unlinked and free at once'],
  }),
});
