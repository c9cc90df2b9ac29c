import { DATA_DIRECTORY } from './data-directory.ts';
import { hostKind } from './define-kind.ts';
import { byDefault, GIBIBYTE, MEBIBYTE, nodeNames, wholeNumber } from './fields.ts';

export const diskIo = hostKind({
  kind: 'DISK_IO',
  description: 'Writes to and reads from the volume of the data directory, never faster than was asked for.',
  fields: {
    targetNodes: nodeNames,
    workers: byDefault(1, wholeNumber('processes', { min: 1, max: 16 })),
    bytesPerSecond: wholeNumber('bytes a second, all workers together', { min: MEBIBYTE, max: 4 * GIBIBYTE }),
  },
  faultState: 'DISK_LOADED',
  example: { targetNodes: ['node-3'], workers: 2, bytesPerSecond: 20 * MEBIBYTE },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'disk-io',
  context: { dataDirectory: DATA_DIRECTORY },
  fence: false,
  undo: () => ['end the load; its files are unlinked and free at once'],
});
