import { AwsError } from '../protocol/aws-error.ts';
import type { Outcome } from './lambda-environment.ts';

/** Of a request, and of its answer: 6 MB. */
export const MAX_REQUEST_BYTES = 6_291_456;
export const MAX_RESPONSE_BYTES = 6_291_556;

/** @throws AwsError for an event that Lambda does not take from who waits for the answer. */
export function requireFits(event: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes <= MAX_REQUEST_BYTES) return;
  const limit = `(limit ${MAX_REQUEST_BYTES} bytes)`;
  const message = `${bytes} byte payload is too large for the RequestResponse invocation type ${limit}`;
  throw new AwsError('RequestTooLargeException', message, 413);
}

/** What Lambda makes of an answer that is too large: a function that failed. */
export function boundedOutcome(outcome: Outcome): Outcome {
  const bytes = Buffer.byteLength(outcome.payload);
  if (bytes <= MAX_RESPONSE_BYTES) return outcome;
  const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`;
  const error = { errorType: 'Function.ResponseSizeTooLarge', errorMessage, trace: [] };
  return { payload: JSON.stringify({ errorType: error.errorType, errorMessage }), error, requestId: outcome.requestId };
}
