import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../domain/experiment.ts';
import { type FieldError, type Problem, problem } from '../domain/problem.ts';
import { log } from '../runtime/log.ts';

/** What a route answers: a document of ours, or a problem. */
export interface Answer {
  status: number;
  body: object;
}

export function refusal(document: Problem): Answer {
  return { status: document.status, body: document };
}

export function notFound(experimentId: string): Answer {
  return refusal(problem('experiment-not-found', `there is no experiment ${experimentId}`, { experimentId }));
}

/** Who sent the request, from the signature that API Gateway verified. @throws Error when there is none */
export function callerOf(event: APIGatewayProxyEvent): Caller {
  const { userArn, accountId, sourceIp } = event.requestContext.identity;
  if (!userArn || !accountId) throw new Error('the request carries no verified identity');
  return { arn: userArn, accountId, sourceIp };
}

/** The body as text; API Gateway may hand it over in base64. */
export function bodyOf(event: APIGatewayProxyEvent): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

/** The `{id}` of the path. */
export function experimentIdOf(event: APIGatewayProxyEvent): string {
  return event.pathParameters?.id ?? event.pathParameters?.experimentId ?? '';
}

/** The query parameters of a route and the values each may have; `'any'` leaves that to the route. */
export type QueryParameters = Readonly<Record<string, readonly string[] | 'any'>>;

/**
 * Turns a route into a handler; whatever it throws becomes a problem document that gives nothing away. A query that is
 * not exactly what the route knows never reaches it: a misspelt `dryRun` must not start a fault.
 */
export function route(handle: (event: APIGatewayProxyEvent) => Promise<Answer>, parameters: QueryParameters = {}) {
  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    let answer: Answer;
    try {
      answer = refuseQuery(event, parameters) ?? (await handle(event));
    } catch (error) {
      log.error('request failed', { requestId: event.requestContext.requestId, error: error as Error });
      const { requestId } = event.requestContext;
      answer = refusal(problem('internal-error', `see the log of request ${requestId}`, { requestId }));
    }
    const isProblem = answer.status >= 400;
    return {
      statusCode: answer.status,
      headers: {
        'Content-Type': isProblem ? 'application/problem+json' : 'application/json',
        'Cache-Control': 'no-store',
      },
      body: JSON.stringify(answer.body),
    };
  };
}

function refuseQuery(event: APIGatewayProxyEvent, parameters: QueryParameters): Answer | undefined {
  const known = Object.keys(parameters);
  const errors = Object.entries(event.queryStringParameters ?? {}).flatMap(([field, value]): FieldError[] => {
    const values = Object.hasOwn(parameters, field) ? parameters[field] : undefined;
    if (values === undefined) {
      return [{ field, message: 'is not a known parameter', allowed: known.join(', ') || 'no parameter at all' }];
    }
    const allowed = values === 'any' ? 'one value' : values.join(', ');
    const times = event.multiValueQueryStringParameters?.[field]?.length ?? 1;
    if (times > 1) return [{ field, message: `is given ${times} times`, allowed }];
    if (values === 'any' || values.some((one) => one === value)) return [];
    return [{ field, message: 'has a value that is not allowed', allowed }];
  });
  if (errors.length === 0) return undefined;
  const fields = errors.map(({ field }) => field).join(', ');
  return refusal(problem('invalid-request', `not valid: ${fields}`, { errors }));
}
