import { hostKind } from './define-kind.ts';
import { byDefault, nodeNames, oneOf } from './fields.ts';

/** Who starts the process again is part of the experiment. */
export const processKill = hostKind({
  kind: 'PROCESS_KILL',
  description: "Kills the store's process.",
  fields: {
    targetNodes: nodeNames,
    signal: byDefault('KILL', oneOf('sent to the process of the store', ['KILL', 'TERM'])),
    restart: byDefault(
      'rollback',
      oneOf('who starts it again; the rollback only if the supervisor has not', ['rollback', 'supervisor']),
    ),
  },
  faultState: 'KILLED',
  example: { targetNodes: ['node-3'], signal: 'KILL' },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'process',
  fence: true,
  unmarked: true,
  undo: ({ restart }) => [
    restart === 'rollback'
      ? 'start the unit of the store again unless its supervisor has'
      : 'none: the supervisor starts the store again; the rollback only checks that it has',
  ],
});
