import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Admission } from '../domain/admission.ts';
import type { Experiment } from '../domain/experiment.ts';

/** Of the two forms. What is in them comes from our own function, and the log checks what of it is written. */
const answer = z.custom<Admission>((value) => {
  const { admitted, facts, problem } = (value ?? {}) as { admitted?: unknown; facts?: unknown; problem?: unknown };
  return admitted === true ? facts instanceof Object : admitted === false && problem instanceof Object;
});

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
  const admission = answer.safeParse(JSON.parse(text));
  if (!admission.success) throw new Error('admission gave no answer');
  return admission.data;
}
