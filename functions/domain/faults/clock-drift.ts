import { hostKind } from './define-kind.ts';
import { eitherWay, nodeNames, yesOrNo } from './fields.ts';
import { anchored, PATTERN } from './patterns.ts';

/** Signatures more than 5 minutes off are refused by AWS; the rest is margin. */
const MAX_OFFSET_MS = 240_000;
/** Beyond this, keys expire and time stamps order writes wrongly for good. */
const MAX_OFFSET_WITH_DATA_MS = 500;

export const clockDrift = hostKind({
  kind: 'CLOCK_DRIFT',
  description: 'Moves the clock of the node and stops its time service; both are put back as they were found.',
  fields: {
    targetNodes: nodeNames,
    offsetMs: eitherWay(
      `how far the clock is moved; beyond ${MAX_OFFSET_WITH_DATA_MS} either way only on a cluster that is configured ` +
        'as disposable',
      MAX_OFFSET_MS,
    ),
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
  context: {
    disposable: {
      description: 'yes, no: are the data of the cluster disposable?',
      pattern: anchored(PATTERN.oneOf(['yes', 'no'])),
      value: (_fault, { disposable }) => yesOrNo(disposable),
    },
  },
  fence: false,
  unmarked: true,
  undo: () => ['set the clock to true time by the monotonic clock', 'start the time service again if it was running'],
});
