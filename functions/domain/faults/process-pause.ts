import { TTL_SECONDS } from '../timing.ts';
import { hostKind } from './define-kind.ts';
import { nodeNames, optional, wholeNumber } from './fields.ts';
import { rule } from './rules.ts';

export const processPause = hostKind({
  kind: 'PROCESS_PAUSE',
  description:
    "Stops the store's process with SIGSTOP: alive for the kernel, silent for everyone else, as in a long garbage " +
    'collection. Until the end, once for pauseSeconds, or again and again every repeatEverySeconds.',
  fields: {
    targetNodes: nodeNames,
    pauseSeconds: optional(wholeNumber('length of a pause', TTL_SECONDS), 'until the end'),
    repeatEverySeconds: optional(
      wholeNumber('from the beginning of one pause to that of the next', { min: 2, max: TTL_SECONDS.max }),
      'one pause',
    ),
  },
  rules: [
    rule('onlyWith', 'repeatEverySeconds', 'pauseSeconds'),
    rule('lessThan', 'pauseSeconds', 'repeatEverySeconds'),
  ],
  faultState: 'PAUSED',
  example: { targetNodes: ['node-3'], pauseSeconds: 5, repeatEverySeconds: 20 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'process',
  fence: true,
  unmarked: true,
  undo: () => ['send SIGCONT to the recorded process'],
});
