import * as z from 'zod';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { approvalSchema, dryRunSchema } from '../api-documents.ts';
import { askYesNo } from '../ask.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { printable } from '../render.ts';
import { renderDryRun } from '../render-result.ts';

interface ApproveOptions extends ApiOptions {
  hash?: string;
}

const startedSchema = z.looseObject({ status: z.string() });
const askedSchema = z.looseObject({ facts: z.looseObject({ approval: approvalSchema }) });

export const addApprove: AddCommand = (program, world) => {
  withConnection(
    program
      .command('approve')
      .description(
        'let begin what another person asked for: shows what it would do now, asks, and approves exactly that',
      )
      .argument('<id>', 'experimentId')
      .option('--hash <hash>', 'approve without asking what has this hash, and nothing else'),
  ).action((experimentId: string, options: ApproveOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const path = `${pathOf(experimentId)}/approve`;
      const shown = await client.call('POST', `${path}?dryRun=true`);
      expectStatus(shown, 200, 202);
      if (shown.status === 202) {
        const { status } = readBody(startedSchema, shown);
        screen.print([printable(`${experimentId} was approved before and is ${status}.`)]);
        writeDocument(shown.body);
        return EXIT.confirmed;
      }
      screen.print(renderDryRun(readBody(dryRunSchema, shown), screen.paint));
      const { hash } = readBody(askedSchema, shown).facts.approval;
      if (options.hash === undefined) {
        const isWanted = await askYesNo('Approve it?', `give --hash ${printable(hash)}`, world, screen);
        if (!isWanted) throw new CommandError(EXIT.aborted, 'not approved; nothing was started');
      }
      const answer = await client.call('POST', path, JSON.stringify({ hash: options.hash ?? hash }));
      expectStatus(answer, 202);
      const { status } = readBody(startedSchema, answer);
      screen.print([printable(`Approved: ${experimentId} is ${status}. See it with: holdfast watch ${experimentId}`)]);
      writeDocument(answer.body);
      return EXIT.confirmed;
    }),
  );
};
