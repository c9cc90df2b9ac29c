import * as z from 'zod';
import { TTL_SECONDS } from '../timing.ts';
import { NODE_LIST, nodeNames, PATTERN, rule, wholeNumber } from './fields.ts';
import { hostKind } from './kind.ts';

const MAX_SECONDS = TTL_SECONDS.max;

export const processPause = hostKind({
  kind: 'PROCESS_PAUSE',
  description:
    "Stops the store's process with SIGSTOP: alive for the kernel, silent for everyone else, as in a long garbage " +
    'collection. Until the end, once for pauseSeconds, or again and again every repeatEverySeconds.',
  schema: z
    .strictObject({
      targetNodes: nodeNames,
      pauseSeconds: z.int().min(1).max(MAX_SECONDS).optional(),
      /** From the beginning of one pause to that of the next. */
      repeatEverySeconds: z.int().min(2).max(MAX_SECONDS).optional(),
    })
    .refine(
      ...rule(
        'repeatEverySeconds',
        'is not longer than pauseSeconds, or stands without it',
        ({ pauseSeconds, repeatEverySeconds }) => Number(repeatEverySeconds) > Number(pauseSeconds),
        ({ repeatEverySeconds }) => typeof repeatEverySeconds === 'number',
      ),
    ),
  allowed: {
    targetNodes: NODE_LIST,
    pauseSeconds: `${wholeNumber(1, MAX_SECONDS)}; left out: until the end`,
    repeatEverySeconds: `${wholeNumber(2, MAX_SECONDS)}, longer than pauseSeconds and only with it; left out: one pause`,
  },
  faultState: 'PAUSED',
  example: { targetNodes: ['node-3'], pauseSeconds: 5, repeatEverySeconds: 20 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'process',
  document: {
    pauseSeconds: {
      description: `Length of a pause, 1 to ${MAX_SECONDS}; 0: until the end.`,
      pattern: `^${PATTERN.digits(3)}$`,
    },
    repeatEverySeconds: {
      description: 'From pause to pause, longer than pauseSeconds; 0: one pause.',
      pattern: `^${PATTERN.digits(3)}$`,
    },
  },
  fence: true,
  unmarked: true,
  command: ({ pauseSeconds = 0, repeatEverySeconds = 0 }) => ({
    parameters: { pauseSeconds: String(pauseSeconds), repeatEverySeconds: String(repeatEverySeconds) },
    undo: ['send SIGCONT to the recorded process, behind the fence'],
  }),
});
