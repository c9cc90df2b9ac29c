import * as z from 'zod';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { printable } from '../render.ts';

const abortSchema = z.looseObject({
  status: z.string(),
  outcome: z.string().nullish(),
  recorded: z.boolean().nullish(),
});

export const addAbort: AddCommand = (program, world) => {
  withConnection(
    program
      .command('abort')
      .description('end an experiment now: hosts revert within about a second; repeating it changes nothing')
      .argument('<id>', 'experimentId'),
  ).action((experimentId: string, options: ApiOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('POST', `${pathOf(experimentId)}/abort`);
      expectStatus(answer, 200, 202);
      const { status, outcome, recorded } = readBody(abortSchema, answer);
      screen.print(
        answer.status === 200
          ? [printable(`${experimentId} was over before: ${status}${outcome ? `, ${outcome}` : ''}.`)]
          : [
              status === 'ABORTED'
                ? `The abort was taken; ${experimentId} waited for its approval, and nothing was started.`
                : `The abort was taken; ${experimentId} is being rolled back. See it with: holdfast watch ${experimentId}`,
              ...(recorded === false
                ? [screen.paint('bad', 'The log did not answer: the abort is not on record.')]
                : []),
            ],
      );
      writeDocument(answer.body);
      return status === 'ROLLBACK_FAILED' ? EXIT.rollbackFailed : EXIT.confirmed;
    }),
  );
};
