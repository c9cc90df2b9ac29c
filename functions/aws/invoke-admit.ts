import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Admission } from '../domain/admission.ts';
import type { Caller, RequestedExperiment } from '../domain/experiment.ts';

/** What that function is asked. */
export interface AdmitRequest {
  experiment: RequestedExperiment;
  /** Who starts it. */
  caller: Caller;
  /** Set at its announced start. */
  heldBy?: string | undefined;
}

/** Of the two forms. What is in them comes from our own function, and the log checks what of it is written. */
const answer = z.custom<Admission>((value) => {
  const { admitted, experiment, facts, problem } = (value ?? {}) as Record<string, unknown>;
  return admitted === true
    ? experiment instanceof Object && facts instanceof Object
    : admitted === false && problem instanceof Object;
});

/**
 * Asks the function inside the VPC.
 * @param heldBy an experiment that may hold the clusters: this one, where it is admitted once more at its announced start
 * @throws Error when it did not answer, or not in the agreed form
 */
export async function invokeAdmit(
  client: LambdaClient,
  functionName: string,
  experiment: RequestedExperiment,
  caller: Caller,
  heldBy?: string,
): Promise<Admission> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({
      FunctionName: functionName,
      Payload: JSON.stringify({ experiment, heldBy, caller } satisfies AdmitRequest),
    }),
  );
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError) throw new Error(`admission failed: ${FunctionError}: ${text.slice(0, 500)}`);
  const admission = answer.safeParse(JSON.parse(text));
  if (!admission.success) throw new Error('admission gave no answer');
  return admission.data;
}
