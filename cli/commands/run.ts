import { EXIT } from '../exit-codes.ts';
import { readExperiment } from '../experiment-file.ts';
import { watchForInterrupt } from '../interrupt.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { dryRun, exitCodeOfRun, refused, runExperiment } from '../run-experiment.ts';

interface RunOptions extends ApiOptions {
  dryRun: boolean;
  watch: boolean;
}

const MORE = `
Ctrl-C on a terminal asks whether to abort, and twice aborts; elsewhere, and with SIGTERM, it aborts at once. Either way the
rollback is followed to its end; once more leaves it to go on by itself.`;

export const addRun: AddCommand = (program, world) => {
  withConnection(
    program
      .command('run')
      .description('run one experiment: validate, dry run, start, and follow it to its end')
      .argument('<file>', 'one experiment, YAML or JSON')
      .option('--dry-run', 'every check against the real targets, and what would be done; touches nothing', false)
      .option('--watch', 'follow it to its end (the default)', true)
      .option('--no-watch', 'return as soon as the fault is in place; it ends by itself')
      .addHelpText('after', MORE),
  ).action(async (file: string, options: RunOptions) => {
    const experiment = readExperiment(file);
    await withSession(options, world, async (session) => {
      const ports = { ...session, clock: world.clock };
      if (options.dryRun) {
        const answer = await dryRun(experiment, ports);
        if (answer.status !== 200) return exitCodeOfRun(refused(experiment, answer, ports));
        session.writeDocument(answer.body);
        return EXIT.confirmed;
      }
      const interrupt = watchForInterrupt(world, session.screen);
      try {
        return exitCodeOfRun(await runExperiment(experiment, interrupt, ports, options.watch ? 'over' : 'in place'));
      } finally {
        interrupt.close();
      }
    });
  });
};
