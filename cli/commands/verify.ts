import { TERMINAL_STATUSES } from '../../functions/domain/experiment.ts';
import { verifyChain } from '../../functions/domain/hash-chain.ts';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { chainSchema } from '../api-documents.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { printable } from '../render.ts';

const MORE = `
The hashes are computed here, from the entries as the API gives them. An experiment that is over must have its verdict in
the log. What else was cut off at the end leaves a whole chain: compare the last hash with that of the event which was published with the entry.`;

export const addVerify: AddCommand = (program, world) => {
  withConnection(
    program
      .command('verify')
      .description("compute the hash chain of an experiment's log anew, and name the entry where it breaks")
      .argument('<id>', 'experimentId')
      .addHelpText('after', MORE),
  ).action((experimentId: string, options: ApiOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('GET', pathOf(experimentId));
      expectStatus(answer, 200);
      const { timeline, chainVerified, status } = readBody(chainSchema, answer);
      const entries = timeline.map(({ summary: _, ...entry }) => entry);
      const strange = entries.find((entry) => entry.experimentId !== experimentId);
      const brokenAt = verifyChain(entries) ?? strange?.sequence;
      const last = timeline.at(-1);
      // A probe may still write what it saw behind a verdict that did not wait for it.
      const isConcluded = timeline.some(({ type }) => type === 'CONCLUDED');
      const isUnbroken = brokenAt === undefined;
      // A verdict makes an experiment over, and only a verdict does.
      const isCutOff = !isConcluded && TERMINAL_STATUSES.includes(status);
      const apiDisagrees = (chainVerified ?? isUnbroken) !== isUnbroken;
      const verified = isUnbroken && !isCutOff && !apiDisagrees;
      screen.print([
        isUnbroken
          ? screen.paint(
              'good',
              `The log of ${experimentId} is unbroken: ${timeline.length} entries, each hash computed here.`,
            )
          : screen.paint('bad', `The log of ${experimentId} is BROKEN at entry ${brokenAt} of ${timeline.length}.`),
        ...(last
          ? [`  the last one is ${printable(last.type)} of ${printable(last.at)}, hash ${printable(last.hash)}`]
          : []),
        ...(isCutOff
          ? [
              screen.paint(
                'bad',
                `  the experiment is ${status}, but its verdict (CONCLUDED) is not in the log: CUT OFF`,
              ),
            ]
          : isConcluded
            ? []
            : ['  it has no CONCLUDED: the experiment is not over, or the end is missing']),
        ...(!apiDisagrees ? [] : [screen.paint('bad', `  the API itself says chainVerified: ${chainVerified}`)]),
      ]);
      writeDocument({
        ...{ experimentId, verified, entries: timeline.length, concluded: isConcluded, lastHash: last?.hash ?? null },
        apiSays: chainVerified ?? null,
        ...(isUnbroken ? {} : { brokenAtSequence: brokenAt }),
      });
      if (!verified) return EXIT.deviated;
      return isConcluded ? EXIT.confirmed : EXIT.notOver;
    }),
  );
};
