import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { statusSchema } from '../api-documents.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { watchExperiment } from '../watch-experiment.ts';

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
      return watchExperiment(experimentId, known, session, world);
    }),
  );
};
