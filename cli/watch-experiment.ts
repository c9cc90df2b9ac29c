import { type ApiAnswer, pathOf } from './api-client.ts';
import { followExperiment } from './follow.ts';
import type { Session } from './program.ts';
import { exitCodeOfRun, report } from './run-experiment.ts';
import { END_SIGNALS, type World } from './world.ts';

/**
 * Follows what goes on without us: Ctrl-C ends the watching, not the experiment.
 * @param answer to whatever was asked before; a 5xx leaves open whether there is such an experiment
 * @returns the exit code, as that of run
 */
export async function watchExperiment(
  experimentId: string,
  answer: ApiAnswer,
  session: Session,
  world: World,
  until: 'over' | 'in place' = 'over',
): Promise<number> {
  const leave = new AbortController();
  const onSignal = (): void => {
    session.screen.frame([]);
    session.screen.print([`Left; the experiment goes on. \`holdfast abort ${experimentId}\` ends it.`]);
    leave.abort();
  };
  for (const signal of END_SIGNALS) world.signals.on(signal, onSignal);
  try {
    const wishes = { abort: new AbortController().signal, leave: leave.signal, onAbortTaken: () => undefined };
    const ports = { ...session, clock: world.clock };
    const end = await followExperiment(pathOf(experimentId), Promise.resolve(answer), wishes, ports, until);
    report(experimentId, end, ports);
    return exitCodeOfRun(end);
  } finally {
    for (const signal of END_SIGNALS) world.signals.off(signal, onSignal);
  }
}
