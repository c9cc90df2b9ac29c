import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { statusSchema } from '../api-documents.ts';
import { followExperiment } from '../follow.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { exitCodeOfRun, report } from '../run-experiment.ts';
import { END_SIGNALS } from '../world.ts';

export const addWatch: AddCommand = (program, world) => {
  withConnection(
    program
      .command('watch')
      .description(
        'follow an experiment to its end; Ctrl-C ends the watching, not the experiment. Exit codes are those of run',
      )
      .argument('<id>', 'experimentId'),
  ).action((experimentId: string, options: ApiOptions) =>
    withSession(options, world, async (session) => {
      const known = await session.client.call('GET', `${pathOf(experimentId)}/status`);
      expectStatus(known, 200);
      readBody(statusSchema, known);
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
        const end = await followExperiment(pathOf(experimentId), Promise.resolve(known), wishes, ports);
        report(experimentId, end, ports);
        return exitCodeOfRun(end);
      } finally {
        for (const signal of END_SIGNALS) world.signals.off(signal, onSignal);
      }
    }),
  );
};
