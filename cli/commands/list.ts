import { expectStatus, readBody } from '../answers.ts';
import { EXPERIMENTS_PATH } from '../api-client.ts';
import { listSchema } from '../api-documents.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { columns, printable } from '../render.ts';

interface ListOptions extends ApiOptions {
  cluster: string;
  fault?: string;
}

/** What tells one record from another; `--json` has all of it. */
const SHOWN = [
  'injected_at',
  'experiment_id',
  'fault_type',
  'was_auto_rolled_back',
  'recovery_time_seconds',
  'data_loss_detected',
];

export const addList: AddCommand = (program, world) => {
  withConnection(
    program
      .command('list')
      .description('experiments that were run on a cluster, newest first')
      .requiredOption('--cluster <name>', 'the cluster')
      .option('--fault <kind>', 'only those with this fault kind, as NETWORK_PARTITION'),
  ).action((options: ListOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const query = new URLSearchParams({
        cluster: options.cluster,
        ...(options.fault ? { fault: options.fault } : {}),
      });
      const answer = await client.call('GET', `${EXPERIMENTS_PATH}?${query}`);
      expectStatus(answer, 200);
      const { experiments, truncated } = readBody(listSchema, answer);
      const rows = experiments.map((row) => SHOWN.map((column) => printable(String(row[column] ?? '-'))));
      screen.print(
        rows.length === 0 ? [`no experiment on ${options.cluster} is on record`] : columns([SHOWN, ...rows]),
      );
      if (truncated) screen.print([`There are more than these ${rows.length}; --fault shows fewer.`]);
      writeDocument(answer.body);
      return EXIT.confirmed;
    }),
  );
};
