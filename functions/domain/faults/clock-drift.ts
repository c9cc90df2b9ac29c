import * as z from 'zod';
import { NODE_LIST, nodeNames, PATTERN, yesOrNo } from './fields.ts';
import { hostKind } from './kind.ts';

/** Signatures more than 5 minutes off are refused by AWS; the rest is margin. */
const MAX_OFFSET_MS = 240_000;
/** Beyond this, keys expire and time stamps order writes wrongly for good. */
const MAX_OFFSET_WITH_DATA_MS = 500;

export const clockDrift = hostKind({
  kind: 'CLOCK_DRIFT',
  description: 'Moves the clock of the node and stops its time service; both are put back as they were found.',
  schema: z.strictObject({
    targetNodes: nodeNames,
    offsetMs: z
      .int()
      .min(-MAX_OFFSET_MS)
      .max(MAX_OFFSET_MS)
      .refine((offsetMs) => offsetMs !== 0, 'is 0: nothing would drift'),
  }),
  allowed: {
    targetNodes: NODE_LIST,
    offsetMs:
      `a whole number from -${MAX_OFFSET_MS} to ${MAX_OFFSET_MS}, not 0; beyond ${MAX_OFFSET_WITH_DATA_MS} either way ` +
      'only on a cluster that is configured as disposable',
  },
  faultState: 'CLOCK_DRIFTED',
  example: { targetNodes: ['node-3'], offsetMs: 400 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  refuse: ({ offsetMs }, { disposable }) =>
    Math.abs(offsetMs) > MAX_OFFSET_WITH_DATA_MS && !disposable
      ? `offsetMs ${offsetMs}: beyond ${MAX_OFFSET_WITH_DATA_MS} ms data is lost for good, and the cluster is not configured as disposable`
      : undefined,
  irreversible:
    'what the store did by the wrong clock stays: keys that expired early or live on, and writes with time stamps of the drift',
  resource: 'clock',
  document: {
    offsetMs: { description: 'How far the clock is moved, -240000 to 240000, not 0.', pattern: '^-?[1-9][0-9]{0,5}$' },
    disposable: { description: 'Are the data of the cluster disposable?', pattern: `^${PATTERN.yesOrNo}$` },
  },
  fence: false,
  unmarked: true,
  command: ({ offsetMs }, _fault, { disposable }) => ({
    parameters: { offsetMs: String(offsetMs), disposable: yesOrNo(disposable) },
    undo: ['set the clock to true time by the monotonic clock', 'start the time service again if it was running'],
  }),
});
