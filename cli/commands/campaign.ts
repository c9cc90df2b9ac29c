import { InvalidArgumentError } from 'commander';
import { runCampaign } from '../campaign/campaign.ts';
import { parseLimits } from '../campaign/limits.ts';
import { readExperiment } from '../experiment-file.ts';
import { watchForInterrupt } from '../interrupt.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';

interface CampaignCommandOptions extends ApiOptions {
  runs: number;
  patience: number;
  followRole?: string;
  limit?: string[];
}

const MAX_RUNS = 1_000;
const DEFAULT_PATIENCE_SECONDS = 120;
const MAX_PATIENCE_SECONDS = 86_400;

const MORE = `
Run n is called <experimentId>-<n>; numbers that exist are passed over, and their runs are not counted. A start that is refused
for a while (locked cluster, no steady state, firing alarm, something not available) is tried again; any other refusal, an
aborted run and a failed rollback end the campaign. Ctrl-C is that of run, and ends the campaign with the run. Exit code: that
of the worst run.`;

export const addCampaign: AddCommand = (program, world) => {
  withConnection(
    program
      .command('campaign')
      .description('one experiment several times, one after the other, and what may be claimed of it')
      .argument('<file>', 'one experiment, YAML or JSON')
      .requiredOption('--runs <number>', `how many runs, 1-${MAX_RUNS}`, wholeNumber(1, MAX_RUNS))
      .option(
        '--patience <seconds>',
        'how long a start that is refused for a while is tried again',
        wholeNumber(0, MAX_PATIENCE_SECONDS),
        DEFAULT_PATIENCE_SECONDS,
      )
      .option(
        '--follow-role <role>',
        'before each run the node that has this role now takes the place of the first one',
      )
      .option(
        '--limit <name=number>',
        'a measure of which "at most this" is to be claimed; may be given once for each (default: rtoSeconds, as in the clusters\' budgets)',
        (text: string, before: string[] = []) => [...before, text],
      )
      .addHelpText('after', MORE),
  ).action(async (file: string, options: CampaignCommandOptions) => {
    const limits = parseLimits(options.limit ?? []);
    const experiment = readExperiment(file);
    await withSession(options, world, async (session) => {
      const interrupt = watchForInterrupt(world, session.screen, 'Abort the run and end the campaign?');
      const { runs, patience: patienceSeconds, followRole } = options;
      try {
        const ports = { ...session, clock: world.clock };
        return await runCampaign(experiment, { runs, patienceSeconds, followRole, limits }, interrupt, ports);
      } finally {
        interrupt.close();
      }
    });
  });
};

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
  };
}
