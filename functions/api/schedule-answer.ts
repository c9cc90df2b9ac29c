import type { APIGatewayProxyEvent } from 'aws-lambda';
import { cut, MAX_WORD_CHARACTERS } from '../domain/limits.ts';
import { problem } from '../domain/problem.ts';
import type { Schedules } from '../domain/schedules.ts';
import { type Answer, refusal } from './answer.ts';

/** Gives the `{scheduleName}` of the path to a route, if there is such a schedule. */
export async function withSchedule(
  { pathParameters }: Pick<APIGatewayProxyEvent, 'pathParameters'>,
  schedules: Schedules,
  handle: (name: string) => Promise<Answer>,
): Promise<Answer> {
  const name = pathParameters?.scheduleName ?? '';
  if (Object.hasOwn(schedules, name)) return handle(name);
  const known = Object.keys(schedules).join(', ') || 'none';
  const detail = `there is no schedule ${cut(name, MAX_WORD_CHARACTERS)}; configured: ${known}`;
  return refusal(problem('schedule-not-found', detail));
}
