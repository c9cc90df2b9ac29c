import { isDeepStrictEqual } from 'node:util';
import { exitCodeOfAnswer, readBody, renderAnswer } from '../answers.ts';
import { type ApiAnswer, type ApiClient, EXPERIMENTS_PATH, pathOf } from '../api-client.ts';
import { dryRunSchema, problemSchema } from '../api-documents.ts';
import { CommandError, EXIT, message } from '../exit-codes.ts';
import { followExperiment, type Lost } from '../follow.ts';
import { untilLeft } from '../leaving.ts';
import { plainPaint, printable } from '../render.ts';
import { type RunEnd, type RunPorts, type RunWishes, report, runExperiment } from '../run-experiment.ts';
import { findRole } from './follow-role.ts';
import { mayPass } from './may-pass.ts';
import { swapNodes } from './swap-nodes.ts';

/** Nothing of that id began. */
interface NotRun {
  kind: 'not run';
  reason: string;
  /** The same for a reason that differs in its numbers alone. */
  sort: string;
  exitCode: number;
  /** The same start may be taken a little later. */
  mayPass: boolean;
}
export type RunAttempt = RunEnd | NotRun;

type Body = Readonly<Record<string, unknown>>;

const TRY_AGAIN_MS = 2_000;
const STARTED_BEFORE: ApiAnswer = { status: 202, body: {} };

/**
 * Starts one run and follows it to its end. A start that is refused for a while, or that got no answer, is tried again
 * with the same id, which can never run twice. Once a start was sent, the run is left out only if the API does not know it.
 */
export async function runOnce(
  body: Body,
  id: string,
  options: { patienceSeconds: number; followRole?: string | undefined },
  wishes: RunWishes,
  ports: RunPorts,
): Promise<RunAttempt> {
  const { clock, screen } = ports;
  const quiet: RunPorts = { ...ports, writeDocument: () => undefined };
  const client = untilLeft(ports.client, wishes.leave);
  const deadlineMs = clock.monotonicMs() + options.patienceSeconds * 1000;
  const isInterrupted = (): boolean => wishes.abort.aborted || wishes.leave.aborted;
  /** How the last start ended that was sent, and of which nobody knows whether it began. */
  let lost: Lost | undefined;
  let said = '';
  for (;;) {
    if (isInterrupted()) return lost ? await followed() : { kind: 'not started' };
    const attempt = await tryOnce();
    if (attempt.kind !== 'not run' || !attempt.mayPass) return attempt;
    if (isInterrupted()) continue;
    if (clock.monotonicMs() >= deadlineMs) {
      return { ...attempt, reason: `${attempt.reason} (for ${options.patienceSeconds} s)` };
    }
    if (attempt.sort !== said) screen.print([printable(`Not yet: ${attempt.reason}`)]);
    said = attempt.sort;
    await clock.sleep(TRY_AGAIN_MS, wishes.abort).catch(() => undefined);
  }

  async function tryOnce(): Promise<RunAttempt> {
    try {
      const earlier = lost && (await foundAgain(lost));
      if (earlier) return earlier;
      const prepared = await prepare(body, options.followRole, client);
      if (prepared.kind === 'not run') return prepared;
      if (prepared.swapped) screen.print([printable(prepared.swapped)]);
      const end = await runExperiment({ experimentId: id, payload: JSON.stringify(prepared.body) }, wishes, quiet);
      if (end.kind === 'refused') return notRun(end.answer);
      if (end.kind === 'pending') return needsApproval();
      if (end.kind === 'ran before' && lost) return await followed();
      if (end.kind !== 'lost') return end;
      lost = end;
      return (await foundAgain(end)) ?? failed(end.reason, EXIT.inconclusive);
    } catch (error) {
      return failed(message(error), error instanceof CommandError ? error.exitCode : EXIT.internal);
    }
  }

  /** @returns undefined when the API says that there is no such run; then the start may be sent once more */
  async function foundAgain(end: Lost): Promise<RunEnd | undefined> {
    const isThere = await isKnown(client, id).catch(() => undefined);
    if (isThere === false) return undefined;
    return isThere || isInterrupted() ? await followed() : end;
  }

  async function followed(): Promise<RunEnd> {
    const end = await followExperiment(pathOf(id), Promise.resolve(STARTED_BEFORE), wishes, quiet);
    report(id, end, quiet);
    return end;
  }
}

/** @throws CommandError when the API does not say whether it is */
export async function isKnown(client: ApiClient, id: string): Promise<boolean> {
  const answer = await client.call('GET', `${pathOf(id)}/status`);
  if (answer.status === 200 || answer.status === 404) return answer.status === 200;
  throw new CommandError(exitCodeOfAnswer(answer), renderAnswer(answer, plainPaint).join('\n'));
}

type Prepared = { kind: 'ready'; body: Body; swapped?: string } | NotRun;

/** Asks with a dry run whether it would be admitted now, and for which node of the shard. */
async function prepare(body: Body, followRole: string | undefined, client: ApiClient): Promise<Prepared> {
  const answer = await client.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, JSON.stringify(body));
  if (answer.status !== 200) return notRun(answer);
  if (readBody(dryRunSchema, answer).facts.approval) return needsApproval();
  if (followRole === undefined) return { kind: 'ready', body };
  const change = findRole(followRole, readBody(dryRunSchema, answer).facts.targets);
  if (change.kind === 'NONE') return { kind: 'ready', body };
  if (change.kind === 'NOBODY') return failed(change.reason, EXIT.refused);
  const { from, to } = change;
  if (isDeepStrictEqual(swapNodes(body, from, ''), body)) return chosenByRole(followRole, from);
  return {
    kind: 'ready',
    body: swapNodes(body, from, to),
    swapped: `${to} is ${followRole} now: it takes the place of ${from}, and ${from} its place.`,
  };
}

/** Nobody approves each of so many runs. */
function needsApproval(): NotRun {
  const reason = 'another person has to approve each run on this cluster: a campaign is for clusters without approval';
  return { kind: 'not run', reason, sort: reason, exitCode: EXIT.pendingApproval, mayPass: false };
}

/** Its name is nowhere in the file. */
function chosenByRole(followRole: string, node: string): NotRun {
  const reason = `${node} is not ${followRole}, and the file chooses it by a role: --follow-role is for a file that names it`;
  return { kind: 'not run', reason, sort: reason, exitCode: EXIT.refused, mayPass: false };
}

function notRun(answer: ApiAnswer): NotRun {
  const problem = problemSchema.safeParse(answer.body).data;
  const said = renderAnswer(answer, plainPaint).map((line) => line.trim());
  const reason = problem ? `${problem.title}: ${problem.detail ?? problem.type}` : said.join('; ');
  const sort = problem?.type ?? reason;
  return { kind: 'not run', reason, sort, exitCode: exitCodeOfAnswer(answer), mayPass: mayPass(answer) };
}

/** Nothing says that it will stay so. */
function failed(reason: string, exitCode: number): NotRun {
  return { kind: 'not run', reason, sort: reason, exitCode, mayPass: true };
}
