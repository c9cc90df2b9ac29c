import type { KindCommand } from './kind-command.ts';

/** Stops the store's process with SIGSTOP: alive for the kernel, silent for everyone else. */
export const processPause: KindCommand<'PROCESS_PAUSE'> = () => ({
  parameters: {},
  undo: ['send SIGCONT to the recorded process, behind the fence'],
});
