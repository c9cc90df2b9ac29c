import type { ExperimentStatus } from '../../functions/domain/experiment.ts';
import { EXIT } from '../exit-codes.ts';
import { untilLeft } from '../leaving.ts';
import { exitCodeOfRun, type RunPorts, type RunWishes } from '../run-experiment.ts';
import { type RunDocument, runSchema, runSummary } from '../runs/run-document.ts';
import { ASSUMPTION, type CampaignDocument } from './campaign-document.ts';
import { evaluate } from './evaluate.ts';
import { firstNumber, runId } from './ids.ts';
import { renderCampaign } from './render-campaign.ts';
import { isKnown, type RunAttempt, runOnce } from './run-once.ts';

export interface CampaignOptions {
  runs: number;
  /** How long a start that is refused for a while is tried again. */
  patienceSeconds: number;
  /** In each run the node that has this role takes the place of the first one that the file names. */
  followRole?: string | undefined;
  /** By name of the measure. */
  limits: ReadonlyMap<string, number>;
}

/** After such a run somebody must look first. */
const ENDS_CAMPAIGN: readonly ExperimentStatus[] = ['ABORTED', 'ROLLBACK_FAILED', 'REFUSED'];

/** Of several codes the first of these is that of the campaign. */
const WORST_FIRST: readonly number[] = [
  EXIT.rollbackFailed,
  EXIT.aborted,
  EXIT.internal,
  EXIT.notPermitted,
  EXIT.unavailable,
  EXIT.refused,
  EXIT.pendingApproval,
  EXIT.deviated,
  EXIT.inconclusive,
  EXIT.confirmed,
];

/**
 * Runs one experiment again and again, each time under admission and followed to its end. What there is is shown and
 * written whatever ends it.
 * @param payload the experiment as JSON
 * @returns the exit code: that of the worst run
 * @throws Error when a run would have no valid id, or the API cannot be asked which exist
 */
export async function runCampaign(
  { experimentId, payload }: { experimentId: string; payload: string },
  options: CampaignOptions,
  wishes: RunWishes,
  ports: RunPorts,
): Promise<number> {
  const { screen } = ports;
  const client = untilLeft(ports.client, wishes.leave);
  const first = await firstNumber(experimentId, options.runs, (id) => isKnown(client, id));
  if (first > 1) screen.print([`${runId(experimentId, first - 1)} exists: the numbers go on after it.`]);
  const body = JSON.parse(payload) as Record<string, unknown>;
  const runs: RunDocument[] = [];
  const codes: number[] = [];
  let endedEarly: string | null = null;
  for (let done = 0; done < options.runs && endedEarly === null; done += 1) {
    const id = runId(experimentId, first + done);
    screen.print([screen.paint('bold', `Run ${done + 1} of ${options.runs}: ${id}`)]);
    const attempt = await runOnce({ ...body, experimentId: id }, id, options, wishes, ports);
    codes.push(attempt.kind === 'not run' ? attempt.exitCode : exitCodeOfRun(attempt));
    const run = runOf(id, attempt);
    if (run) runs.push(run);
    endedEarly = reasonToEnd(id, attempt, wishes);
  }
  const document: CampaignDocument = {
    campaign: experimentId,
    runsAsked: options.runs,
    runs,
    endedEarly: runs.length < options.runs ? endedEarly : null,
    ...evaluate(runs, options.limits, options.runs),
    assumption: ASSUMPTION,
  };
  screen.print(['', ...renderCampaign(document, screen.paint)]);
  ports.writeDocument(document);
  return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.internal;
}

/** One that began, though nobody may know how it ended. */
function runOf(experimentId: string, attempt: RunAttempt): RunDocument | undefined {
  switch (attempt.kind) {
    case 'ended':
    case 'in place':
      return runSummary(runSchema.parse(attempt.document));
    case 'lost':
      return { experimentId, status: 'UNKNOWN', reason: attempt.reason };
    case 'left':
      return { experimentId, status: 'UNKNOWN', reason: 'the command was left before its end' };
    default:
      return undefined;
  }
}

function reasonToEnd(id: string, attempt: RunAttempt, wishes: RunWishes): string | null {
  if (attempt.kind === 'ended') {
    const { status, reason } = attempt.document;
    if (ENDS_CAMPAIGN.includes(status)) return `${id} was ${status}${reason ? `: ${reason}` : ''}`;
    return wishes.abort.aborted || wishes.leave.aborted ? 'interrupted' : null;
  }
  switch (attempt.kind) {
    case 'not run':
    case 'lost':
      return `${id}: ${attempt.reason}`;
    case 'pending':
      return `${id}: waits for the approval of another person`;
    case 'not started':
    case 'left':
      return 'interrupted';
    default:
      return `${id}: was started by somebody else meanwhile`;
  }
}
