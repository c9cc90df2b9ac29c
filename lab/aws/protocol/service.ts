import { AwsError } from './aws-error.ts';
import type { HttpAnswer, WireRequest } from './http.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Demand } from './principal.ts';
import type { VerifiedRequest } from './signature.ts';

/** Everything a stand-in may know about a call besides its input. */
export interface CallContext extends VerifiedRequest {
  sourceIp: string;
  /** Aborted when the caller hangs up. */
  signal: AbortSignal;
}

export interface Operation {
  /** Permissions the call needs, in the order AWS would check them. */
  demands(input: JsonObject): Demand[];
  run(input: JsonObject, context: CallContext): Promise<object> | object;
}

/** A stand-in with one of AWS's JSON protocols: the operation is in `X-Amz-Target`. */
export interface JsonService {
  /** As in the credential scope, e.g. `ssm`. */
  signingName: string;
  operations: Record<string, Operation>;
}

/** A stand-in with AWS's REST protocol: the operation is in method and path, its input in path, query and body. */
export interface RestService extends JsonService {
  /** @returns the operation and what the path says of its input; undefined for an unknown route. */
  route(method: string, path: string): { operation: string; fields: Record<string, string> } | undefined;
}

/** A stand-in with AWS's query protocol: a form in, with the operation in `Action`; XML out. */
export interface QueryService {
  signingName: string;
  /** EC2 has a form of its own for errors; `Query` is that of every other service with this protocol. */
  errorForm: 'Ec2' | 'Query';
  demands(form: URLSearchParams): Demand[];
  /** @throws AwsError for an operation that it does not have, or a field that it would ignore. */
  call(form: URLSearchParams): string;
}

/** A service as the front sees it, whichever protocol it speaks. */
export interface Endpoint {
  signingName: string;
  /** Reads what is asked for; nothing is done yet. @throws AwsError for a body that is not of the protocol. */
  read(request: WireRequest): EndpointCall;
  renderError(error: AwsError): HttpAnswer;
}

export interface EndpointCall {
  /** As AWS names the operation. */
  name: string;
  /** Permissions the front must see granted before it runs the call; a service may ask for more by itself. */
  demands(): readonly Demand[];
  run(context: CallContext): Promise<HttpAnswer>;
}

/** @throws AwsError ValidationException that names the field. */
export function requiredString(input: JsonObject, field: string): string {
  const value = input[field];
  if (typeof value !== 'string' || value === '') {
    throw new AwsError('ValidationException', `${field}: expected a string that is not empty`);
  }
  return value;
}

export function optionalString(input: JsonObject, field: string): string | undefined {
  return input[field] === undefined || input[field] === null ? undefined : requiredString(input, field);
}

/** @throws AwsError ValidationException that names the field. */
export function stringList(input: JsonObject, field: string): string[] {
  const value = input[field] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new AwsError('ValidationException', `${field}: expected a list of strings`);
}

export function objectList(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** @throws AwsError ValidationException naming the fields that this stand-in would otherwise silently ignore. */
export function refuseUnknownFields(input: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(input).filter((field) => !known.includes(field));
  if (unknown.length > 0) {
    throw new AwsError(
      'ValidationException',
      `the lab does not know ${unknown.join(', ')}; it knows ${known.join(', ')}`,
    );
  }
}
