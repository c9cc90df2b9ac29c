import type { AwsError } from './aws-error.ts';
import type { HttpAnswer } from './http.ts';
import { escapeXml } from './query-protocol.ts';

/** Each protocol has its own error shape; clients look for exactly that. */

function headersOf(error: AwsError): Record<string, string> {
  return { 'content-type': 'application/json', 'x-amzn-errortype': error.code };
}

/** @param forbidden the status where IAM says no: 400 of the JSON services, 403 of those with a REST protocol. */
export function jsonError(error: AwsError, forbidden: 400 | 403): HttpAnswer {
  return {
    status: error.status === 403 ? forbidden : error.status,
    headers: headersOf(error),
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message, ...error.fields }),
  };
}

export function apiGatewayError(error: AwsError): HttpAnswer {
  const field = error.code === 'AccessDeniedException' ? 'Message' : 'message';
  return { status: error.status, headers: headersOf(error), body: JSON.stringify({ [field]: error.message }) };
}

/** S3's. */
export function xmlError({ code, message, status }: AwsError): HttpAnswer {
  const name = code === 'AccessDeniedException' ? 'AccessDenied' : code;
  const body = `<Error><Code>${escapeXml(name)}</Code><Message>${escapeXml(message)}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
