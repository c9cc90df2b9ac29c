import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type Json } from '../protocol/json.ts';
import type { Principal } from '../protocol/principal.ts';
import type { Lambda } from './lambda.ts';

/** How Step Functions sees a failed task: `Error` is the name, `Cause` the message. */
class TaskFailed extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/**
 * Runs one Task state as the state machine's role: a Lambda ARN directly, or `arn:aws:states:::lambda:invoke`.
 * @throws TaskFailed named as Step Functions names it: the function's error type, or `Lambda.<exception>`.
 */
export async function invokeTask(lambda: Lambda, role: Principal, task: string, input: Json): Promise<Json> {
  const optimized = task === 'arn:aws:states:::lambda:invoke';
  if (!optimized && !task.includes(':lambda:')) {
    throw new TaskFailed('States.Runtime', `the lab knows Lambda tasks only, not ${task}`);
  }
  const parameters = optimized && isObject(input) ? input : {};
  const reference = optimized ? String(parameters.FunctionName) : task;
  const payload = optimized ? (parameters.Payload ?? {}) : input;
  try {
    if (parameters.InvocationType === 'Event') {
      await lambda.enqueue(role, reference, payload);
      return { StatusCode: 202, Payload: '' };
    }
    const outcome = await lambda.invoke(role, reference, payload);
    if (outcome.error !== undefined) throw new TaskFailed(outcome.error.errorType, outcome.payload);
    const result: Json = JSON.parse(outcome.payload);
    return optimized ? { ExecutedVersion: '$LATEST', Payload: result, StatusCode: 200 } : result;
  } catch (error) {
    if (error instanceof AwsError) throw new TaskFailed(`Lambda.${error.code}`, error.message);
    throw error;
  }
}
