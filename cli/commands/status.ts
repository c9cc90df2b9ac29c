import { TERMINAL_STATUSES } from '../../functions/domain/experiment.ts';
import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { experimentSchema, statusSchema } from '../api-documents.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { renderTimelineEntry } from '../render.ts';
import { renderPending } from '../render-approval.ts';
import { renderVerdict } from '../render-result.ts';
import { renderFrame } from '../render-status.ts';

export const addStatus: AddCommand = (program, world) => {
  withConnection(
    program
      .command('status')
      .description(
        'where an experiment stands now, or how it ended; the exit code of one that is over is that of its run',
      )
      .argument('<id>', 'experimentId'),
  ).action((experimentId: string, options: ApiOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const path = pathOf(experimentId);
      const answer = await client.call('GET', `${path}/status`);
      expectStatus(answer, 200);
      const status = readBody(statusSchema, answer);
      const isOver = TERMINAL_STATUSES.includes(status.status);
      const detail = await client.call('GET', path);
      expectStatus(detail, 200);
      const document = readBody(experimentSchema, detail);
      const last = document.timeline.at(-1);
      screen.print(
        isOver
          ? renderVerdict(document, screen.paint)
          : [
              ...renderFrame(status, screen.paint, document),
              ...(status.status === 'PENDING_APPROVAL' && status.approval
                ? renderPending(experimentId, status.approval, screen.paint)
                : []),
              ...(last === undefined ? [] : [`last: ${renderTimelineEntry(last, screen.paint)}`]),
            ],
      );
      writeDocument(answer.body);
      return isOver ? exitCodeOf(status.status, status.outcome) : EXIT.notOver;
    }),
  );
};
