import { EXIT } from '../exit-codes.ts';
import { experimentSchema } from '../experiment-schema.ts';
import type { AddCommand } from '../program.ts';

export const addSchema: AddCommand = (program, world) => {
  program
    .command('schema')
    .description('print the JSON Schema of experiment files, for editors; offline')
    .action(() => {
      world.stdout.write(`${JSON.stringify(experimentSchema(), null, 2)}\n`);
      world.exit(EXIT.confirmed);
    });
};
