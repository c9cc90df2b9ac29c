import { verifyChain } from '../../functions/domain/hash-chain.ts';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { chainSchema } from '../api-documents.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { printable } from '../render.ts';

const MORE = `
The hashes are computed here, from the entries as the API gives them. A log that was cut off at its end is still a whole
chain: compare the last hash with that of the event which was published with the entry.`;

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
      const { timeline, chainVerified } = readBody(chainSchema, answer);
      const entries = timeline.map(({ summary: _, ...entry }) => entry);
      const strange = entries.find((entry) => entry.experimentId !== experimentId);
      const brokenAt = verifyChain(entries) ?? strange?.sequence;
      const last = timeline.at(-1);
      // A probe may still write what it saw behind a verdict that did not wait for it.
      const isOver = timeline.some(({ type }) => type === 'CONCLUDED');
      const verified = brokenAt === undefined;
      screen.print([
        verified
          ? screen.paint(
              'good',
              `The log of ${experimentId} is unbroken: ${timeline.length} entries, each hash computed here.`,
            )
          : screen.paint('bad', `The log of ${experimentId} is BROKEN at entry ${brokenAt} of ${timeline.length}.`),
        ...(last
          ? [`  the last one is ${printable(last.type)} of ${printable(last.at)}, hash ${printable(last.hash)}`]
          : []),
        ...(isOver ? [] : ['  it has no CONCLUDED: the experiment is not over, or the end is missing']),
        ...(chainVerified === verified
          ? []
          : [screen.paint('bad', `  the API itself says chainVerified: ${chainVerified}`)]),
      ]);
      writeDocument({
        ...{ experimentId, verified, entries: timeline.length, concluded: isOver, lastHash: last?.hash ?? null },
        ...(verified ? {} : { brokenAtSequence: brokenAt }),
      });
      return verified ? EXIT.confirmed : EXIT.deviated;
    }),
  );
};
