import { TERMINAL_STATUSES } from '../../functions/domain/experiment.ts';
import { inspectLog } from '../../functions/domain/hash-chain.ts';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { chainSchema } from '../api-documents.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, outputOf, type Session, withConnection, withSession } from '../program.ts';
import { printable } from '../render.ts';
import { exportLine, verifyExport } from '../verify-export.ts';

interface VerifyOptions extends ApiOptions {
  from?: string;
}

const MORE = `
The hashes are computed here, from the entries as the API gives them. An experiment that is over must have its verdict in
the log. What else was cut off at the end leaves a whole chain: compare the last hash with that of the event which was published with the entry.`;

export const addVerify: AddCommand = (program, world) => {
  withConnection(
    program
      .command('verify')
      .description("compute the hash chain of an experiment's log anew, and name the entry where it breaks")
      .argument('[id]', 'experimentId')
      .option('--from <file>', 'instead: what the daily export wrote, JSON lines; asks no API')
      .addHelpText('after', MORE),
  ).action(async (id: string | undefined, options: VerifyOptions) => {
    if ((id === undefined) === (options.from === undefined)) throw new UsageError('verify: an id or --from FILE');
    if (options.from !== undefined) return world.exit(showExport(options.from, outputOf(options, world)));
    const experimentId = id ?? '';
    await withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('GET', pathOf(experimentId));
      expectStatus(answer, 200);
      const { timeline, chainVerified, status } = readBody(chainSchema, answer);
      const entries = timeline.map(({ summary: _, ...entry }) => entry);
      // A probe may still write what it saw behind a verdict that did not wait for it.
      const { brokenAtSequence: brokenAt, isAdmitted, isConcluded } = inspectLog(experimentId, entries);
      const last = timeline.at(-1);
      const isUnbroken = brokenAt === undefined;
      // A verdict makes an experiment over, and only a verdict does; what was never admitted ends without one.
      const isCutOff = !isConcluded && isAdmitted && TERMINAL_STATUSES.includes(status);
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
    });
  });
};

function showExport(file: string, { screen, writeDocument }: Omit<Session, 'client'>): number {
  const logs = verifyExport(file);
  screen.print(logs.map((log) => screen.paint(log.verified ? 'good' : 'bad', exportLine(log))));
  writeDocument({ logs });
  if (!logs.every(({ verified }) => verified)) return EXIT.deviated;
  // Of the day before its end, or cut off: the file alone cannot tell.
  return logs.some(({ admitted, concluded }) => admitted && !concluded) ? EXIT.notOver : EXIT.confirmed;
}
