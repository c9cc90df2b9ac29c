import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Admission } from '../admission/admit.ts';
import type { Experiment } from '../domain/experiment.ts';

/** Asks the function inside the VPC. @throws Error when it did not answer, or not in the agreed form */
export async function invokeAdmit(
  client: LambdaClient,
  functionName: string,
  experiment: Experiment,
): Promise<Admission> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ experiment }) }),
  );
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError) throw new Error(`admission failed: ${FunctionError}: ${text.slice(0, 500)}`);
  const admission = JSON.parse(text) as Partial<Admission> | null;
  if (typeof admission?.admitted !== 'boolean') throw new Error('admission gave no answer');
  return admission as Admission;
}
