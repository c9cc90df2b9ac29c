import type * as z from 'zod';
import { isUndecided as isOpen } from '../functions/domain/problem.ts';
import type { ApiAnswer } from './api-client.ts';
import { problemSchema } from './api-documents.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { type Paint, plainPaint, printable } from './render.ts';
import { renderProblem } from './render-result.ts';

const OUR_PROBLEM = 'urn:holdfast:problem:';
const INTERNAL_ERROR = `${OUR_PROBLEM}internal-error`;

/**
 * What an answer that is no success says; what API Gateway says in place of the API is explained.
 * @param where a field stands, `FILE:LINE:COLUMN: `; absent: in no file of the user's
 */
export function renderAnswer(answer: ApiAnswer, paint: Paint, where?: (field: string) => string): string[] {
  const problem = problemSchema.safeParse(answer.body);
  if (problem.success) {
    return renderProblem(problem.data, isRefusal(answer) ? 'Refused' : 'The API failed', paint, where);
  }
  const hint = hintOf(answer);
  return [
    paint('bad', `The API answered ${answer.status}: ${printable(saidBy(answer.body))}`),
    ...(hint === undefined ? [] : [`  ${hint}`]),
  ];
}

/** Whether Holdfast itself has decided against the request. */
export function isRefusal({ status, body }: ApiAnswer): boolean {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) return false;
  return status >= 400 && problem.data.type.startsWith(OUR_PROBLEM) && problem.data.type !== INTERNAL_ERROR;
}

/** Whether what was asked for may have happened all the same: the API failed, or what stands before it. */
export function isUndecided({ status, body }: ApiAnswer): boolean {
  const problem = problemSchema.safeParse(body);
  return status >= 500 && !(problem.success && problem.data.type.startsWith(OUR_PROBLEM) && !isOpen(problem.data));
}

/** The exit code for an answer that is no success. */
export function exitCodeOfAnswer(answer: ApiAnswer): number {
  if (isRefusal(answer)) return EXIT.refused;
  return answer.status === 401 || answer.status === 403 ? EXIT.notPermitted : EXIT.unavailable;
}

/** @throws CommandError that shows what the API said, unless it is one of these statuses. */
export function expectStatus(answer: ApiAnswer, ...expected: number[]): void {
  if (expected.includes(answer.status)) return;
  throw new CommandError(exitCodeOfAnswer(answer), renderAnswer(answer, plainPaint).join('\n'));
}

/** @throws CommandError that names the field, when an answer is not as the API gives it. */
export function readBody<S extends z.ZodType>(schema: S, { body }: ApiAnswer): z.output<S> {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') || '(body)';
  throw new CommandError(EXIT.unavailable, `the answer is not as the API gives it: ${where}: ${issue?.message}`);
}

function saidBy(body: unknown): string {
  const { message, Message } = (body ?? {}) as { message?: unknown; Message?: unknown };
  const said = message ?? Message;
  return typeof said === 'string' ? said : (JSON.stringify(body) ?? 'nothing');
}

function hintOf({ status, body }: ApiAnswer): string | undefined {
  const said = saidBy(body);
  if (status === 403 && /Missing Authentication Token/i.test(said)) {
    return 'API Gateway says this where it has no such path: is the stage in --url, as in https://HOST/api?';
  }
  if (status === 403 && /scoped to a valid region/i.test(said)) return '--region must be the region of the API.';
  if (status === 403 && /security token|signature|expired/i.test(said)) {
    return 'These credentials are not valid (any more), or this machine has a wrong time.';
  }
  if (status === 401 || status === 403) {
    return 'You need execute-api:Invoke on this API, and your role must be among apiPrincipals of its configuration.';
  }
  if (status === 429) return 'Too many requests at a time; nothing was begun. Try again in a few seconds.';
  return undefined;
}
