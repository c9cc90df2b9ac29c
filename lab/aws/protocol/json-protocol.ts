import { AwsError, unknownOperation } from './aws-error.ts';
import { jsonError } from './error-answer.ts';
import { jsonAnswer } from './http.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Endpoint, EndpointCall, JsonService, Operation } from './service.ts';

export function jsonEndpoint({ signingName, operations }: JsonService): Endpoint {
  return {
    signingName,
    read({ headers, body }) {
      const name = (headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';
      return callOf(signingName, name, operations[name], parseObject(body), 'application/x-amz-json-1.1');
    },
    renderError: (error) => jsonError(error, 400),
  };
}

/** An operation that the stand-in does not have is refused after it was counted, and before anything is authorized. */
export function callOf(
  service: string,
  name: string,
  operation: Operation | undefined,
  input: JsonObject,
  contentType: string,
): EndpointCall {
  const known = (): Operation => {
    if (operation === undefined) throw unknownOperation(service, name);
    return operation;
  };
  return {
    name,
    demands: () => known().demands(input),
    run: async (context) => jsonAnswer(await known().run(input, context), contentType),
  };
}

/** @throws AwsError SerializationException for a body that is no JSON object; an empty one is `{}`. */
export function parseObject(body: Buffer): JsonObject {
  try {
    const parsed: Json = JSON.parse(body.toString('utf8') || '{}');
    if (isObject(parsed)) return parsed;
  } catch {
    // answered below, like every other body that is no object
  }
  throw new AwsError('SerializationException', 'the body is not a JSON object');
}
