import type { KindCommand } from './kind-command.ts';

/** Kills the store's process; who starts it again is part of the experiment. */
export const processKill: KindCommand<'PROCESS_KILL'> = ({ signal, restart }) => ({
  parameters: { signal, restart },
  undo: [
    restart === 'rollback'
      ? 'start the unit of the store again, behind the fence'
      : 'none: the supervisor starts the store again; the way back only checks that it has',
  ],
});
