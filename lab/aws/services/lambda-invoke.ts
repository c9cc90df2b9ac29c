import { unknownOperation } from '../protocol/aws-error.ts';
import { jsonError } from '../protocol/error-answer.ts';
import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import type { Authorizer } from '../protocol/principal.ts';
import type { Endpoint } from '../protocol/service.ts';
import type { VerifiedRequest } from '../protocol/signature.ts';
import type { Lambda } from './lambda.ts';

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Lambda's REST protocol: Invoke, synchronously or as an event. */
export function lambdaEndpoint(lambda: Lambda, authorizer: Authorizer): Endpoint {
  return {
    signingName: 'lambda',
    read: (request) => ({
      name: 'Invoke',
      demands: () => [],
      run: (context) => answerInvoke(lambda, authorizer, request, context),
    }),
    renderError: (error) => jsonError(error, 403),
  };
}

/** @throws AwsError for everything but an invocation. */
async function answerInvoke(
  lambda: Lambda,
  authorizer: Authorizer,
  request: WireRequest,
  verified: VerifiedRequest,
): Promise<HttpAnswer> {
  const path = request.url.split('?')[0] ?? '';
  const reference = INVOKE.exec(path)?.[1];
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (request.method !== 'POST' || reference === undefined)
    throw unknownOperation('lambda', `${request.method} ${path}`);
  const event: unknown = request.body.length === 0 ? {} : JSON.parse(request.body.toString('utf8'));
  const target = lambda.find(decodeURIComponent(reference));
  if (type === 'Event') {
    await lambda.enqueue(verified.principal, target.arn, event);
    return { status: 202, headers: {}, body: '' };
  }
  if (type !== 'RequestResponse') throw unknownOperation('lambda', `Invoke with InvocationType ${type}`);
  await authorizer.require(verified.principal, [lambda.demand(target)], request.sourceIp);
  const outcome = await target.invoke(event);
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': outcome.requestId,
      'x-amz-executed-version': '$LATEST',
      ...(outcome.error === undefined ? {} : { 'x-amz-function-error': 'Unhandled' }),
    },
    body: outcome.payload,
  };
}
