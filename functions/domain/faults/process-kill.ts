import * as z from 'zod';
import { NODE_LIST, nodeNames } from './fields.ts';
import { hostKind } from './kind.ts';

/** Who starts the process again is part of the experiment. */
export const processKill = hostKind({
  kind: 'PROCESS_KILL',
  description: "Kills the store's process.",
  schema: z.strictObject({
    targetNodes: nodeNames,
    signal: z.enum(['KILL', 'TERM']).default('KILL'),
    restart: z.enum(['rollback', 'supervisor']).default('rollback'),
  }),
  allowed: {
    targetNodes: NODE_LIST,
    signal: 'KILL, TERM; left out: KILL',
    restart: 'rollback (the rollback starts the store unless its supervisor has), supervisor; left out: rollback',
  },
  faultState: 'KILLED',
  example: { targetNodes: ['node-3'], signal: 'KILL' },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'process',
  document: {
    signal: { description: 'Signal sent to the process of the store.', pattern: '^(KILL|TERM)$' },
    restart: { description: 'Who starts it again.', pattern: '^(rollback|supervisor)$' },
  },
  fence: true,
  unmarked: true,
  command: ({ signal, restart }) => ({
    parameters: { signal, restart },
    undo: [
      restart === 'rollback'
        ? 'start the unit of the store again unless its supervisor has, behind the fence'
        : 'none: the supervisor starts the store again; the rollback only checks that it has',
    ],
  }),
});
