import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Clock } from '../domain/clock.ts';
import type { Caller } from '../domain/experiment.ts';
import { problem } from '../domain/problem.ts';
import { experimentIdAt, type ScheduleEvent } from '../domain/schedules.ts';
import { log } from '../runtime/log.ts';
import { type Answer, refusal } from './answer.ts';

export interface RunScheduleDependencies {
  clock: Pick<Clock, 'nowEpochMs'>;
  /** The function that EventBridge Scheduler calls. */
  run(event: ScheduleEvent): Promise<Answer>;
}

/**
 * `POST …/schedules/{name}/run`: as if its time were now, in the name of the caller. Answers what the start of the experiment
 * answers.
 */
export async function runScheduleNow(
  name: string,
  caller: Caller,
  { clock, run }: RunScheduleDependencies,
): Promise<Answer> {
  const scheduledAt = new Date(clock.nowEpochMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  try {
    return await run({ schedule: name, scheduledAt, caller });
  } catch (error) {
    const experimentId = experimentIdAt(name, scheduledAt);
    log.error('schedule not run', { experimentId, error: String(error) });
    const detail = `nobody knows whether ${experimentId} was started: ask for its status`;
    return refusal(problem('control-plane-unknown', detail, { experimentId }));
  }
}

/** Of our own function, which passes on what the API itself answers. */
const answerSchema = z.object({ answer: z.object({ status: z.int(), body: z.looseObject({}) }) });

/** @throws Error when it did not answer, or failed: then nothing was decided */
export async function invokeSchedule(
  client: Pick<LambdaClient, 'send'>,
  functionName: string,
  event: ScheduleEvent,
): Promise<Answer> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
  );
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError) throw new Error(`the schedule failed: ${FunctionError}: ${text.slice(0, 500)}`);
  return answerSchema.parse(JSON.parse(text)).answer;
}
