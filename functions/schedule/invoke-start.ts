import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Caller } from '../domain/experiment.ts';
import type { StartAnswer } from './run-schedule.ts';

/** As a function behind API Gateway answers. */
const answerSchema = z.object({ statusCode: z.int(), body: z.string() });

/**
 * Asks the function that answers `POST` of an experiment, as API Gateway would: there is no other way in.
 * @throws Error when it did not answer, or not in the agreed form
 */
export async function invokeStart(
  client: Pick<LambdaClient, 'send'>,
  functionName: string,
  body: string,
  { arn, accountId, sourceIp }: Caller,
): Promise<StartAnswer> {
  const request = {
    headers: { 'content-type': 'application/json' },
    body,
    isBase64Encoded: false,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    requestContext: { identity: { userArn: arn, accountId, sourceIp } },
  };
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
  );
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError) throw new Error(`the start failed: ${FunctionError}: ${text.slice(0, 500)}`);
  const { statusCode, body: document } = answerSchema.parse(JSON.parse(text));
  return { status: statusCode, body: JSON.parse(document) as unknown };
}
