import type { Experiment } from '../../functions/domain/experiment.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { checkExperiment, errorLine, type FileError, readExperimentText } from '../experiment-file.ts';
import type { AddCommand } from '../program.ts';
import { createScreen } from '../render-terminal.ts';

const NOT_KNOWN =
  'What clusters, nodes, durations and budgets this deployment allows is not known offline: `holdfast run FILE --dry-run` asks it.';

interface Validated {
  file: string;
  valid: boolean;
  experimentId?: string;
  errors: (FileError | { message: string })[];
}

export const addValidate: AddCommand = (program, world) => {
  program
    .command('validate')
    .description('say what is wrong in experiment files, with line and column; offline')
    .argument('<file...>', 'experiments, YAML or JSON')
    .option('--json', 'one JSON document on stdout, everything else on stderr', false)
    .action((files: string[], options: { json: boolean }) => {
      const screen = createScreen(options.json ? world.stderr : world.stdout, world.environment);
      const results = files.map((file): Validated => {
        const { lines, ...result } = validate(file);
        screen.print(result.valid ? lines : lines.map((line) => screen.paint('bad', line)));
        return result;
      });
      const valid = results.every((result) => result.valid);
      if (valid) screen.print([NOT_KNOWN]);
      if (options.json) world.stdout.write(`${JSON.stringify({ valid, files: results }, null, 2)}\n`);
      world.exit(valid ? EXIT.confirmed : EXIT.usage);
    });
};

function validate(file: string): Validated & { lines: string[] } {
  try {
    const read = readExperimentText(file);
    const { experimentId } = read;
    const checked = checkExperiment(read);
    if (checked.ok)
      return { file, valid: true, experimentId, errors: [], lines: [`${file}: ${wordsOf(checked.experiment)}`] };
    const { errors } = checked;
    return { file, valid: false, experimentId, errors, lines: errors.map((error) => errorLine(file, error)) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const lines = error.message.split('\n');
    return { file, valid: false, errors: lines.map((message) => ({ message })), lines };
  }
}

function wordsOf({ experimentId, faults, durationSeconds }: Experiment): string {
  const words = faults.map(({ kind, impactedNodes }) =>
    impactedNodes.length > 0 ? `${kind} on ${impactedNodes.join(', ')}` : kind,
  );
  return `valid: ${experimentId}, ${words.join('; ')}, ${durationSeconds} s`;
}
