import type { Demand } from '../iam/authorization.ts';
import { isObject, type Json, type JsonObject } from '../template/intrinsics.ts';
import { AwsError } from './aws-error.ts';
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
export interface RestService {
  /** As in the credential scope, e.g. `fis`. */
  signingName: string;
  operations: Record<string, Operation>;
  /** @returns the operation and what the path says of its input; undefined for an unknown route. */
  route(method: string, path: string): { operation: string; fields: Record<string, string> } | undefined;
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
