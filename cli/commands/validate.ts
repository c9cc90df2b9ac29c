import type { RequestedExperiment, RequestedFault } from '../../functions/domain/experiment.ts';
import { nodeFieldsOf } from '../../functions/domain/faults/catalogue.ts';
import type { NodeEntry } from '../../functions/domain/select-nodes.ts';
import { selectorText } from '../../functions/domain/selectors.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { type FileError, InvalidFile, readExperiment } from '../experiment-file.ts';
import type { AddCommand } from '../program.ts';
import { createScreen } from '../render-terminal.ts';

const NOT_KNOWN =
  'What clusters, nodes, durations and budgets this deployment allows, and what its engines can measure, is not known offline: `holdfast run FILE --dry-run` asks it.';

interface Validated {
  file: string;
  valid: boolean;
  experimentId?: string;
  errors: readonly (FileError | { message: string })[];
}

/** By the name that schemas have: `*.json` in a shell finds them too. */
const SCHEMA_FILE = /\.schema\.json$/;

export const addValidate: AddCommand = (program, world) => {
  program
    .command('validate')
    .description('say what is wrong in experiment files, with line and column; offline')
    .argument('<file...>', 'experiments, YAML or JSON')
    .option('--json', 'one JSON document on stdout, everything else on stderr', false)
    .action((files: string[], options: { json: boolean }) => {
      const screen = createScreen(options.json ? world.stderr : world.stdout, world.environment);
      const isSchema = (file: string): boolean => SCHEMA_FILE.test(file);
      const schemas = files.every(isSchema) ? [] : files.filter(isSchema);
      for (const file of schemas)
        screen.print([screen.paint('dim', `${file}: passed over, a JSON Schema by its name`)]);
      const experiments = files.filter((file) => !schemas.includes(file));
      const results = experiments.map((file): Validated => {
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
    const { experimentId, experiment } = readExperiment(file);
    return { file, valid: true, experimentId, errors: [], lines: [`${file}: ${wordsOf(experiment)}`] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const errors = error instanceof InvalidFile ? error.errors : [{ message: error.message }];
    return { file, valid: false, errors, lines: error.message.split('\n') };
  }
}

function wordsOf({ experimentId, faults, durationSeconds }: RequestedExperiment): string {
  const words = faults.map((fault) => `${fault.kind} on ${nodesIn(fault)}`);
  return `valid: ${experimentId}, ${words.join('; ')}, ${durationSeconds} s`;
}

/** Which nodes have the roles is known at admission; of a partition, also which side is smaller. */
function nodesIn({ kind, impactedNodes, parameters }: RequestedFault): string {
  if (impactedNodes) return impactedNodes.join(', ');
  const lists = nodeFieldsOf(kind).flatMap((field) => {
    const list = parameters[field] as NodeEntry[] | undefined;
    return list ? [`${field} ${list.map(entryText).join(', ')}`] : [];
  });
  return lists.join('; ');
}

function entryText(entry: NodeEntry): string {
  return typeof entry === 'string' ? entry : selectorText(entry);
}
