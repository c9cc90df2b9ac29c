import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { boundedProblem } from '../domain/bounded-problem.ts';
import { isExperimentId } from '../domain/contract.ts';
import type { Caller } from '../domain/experiment.ts';
import { cut, MAX_WORD_CHARACTERS } from '../domain/limits.ts';
import { type FieldError, type Problem, problem } from '../domain/problem.ts';
import { invalidRequest } from '../domain/request-body.ts';
import { log } from '../runtime/log.ts';

/** What a route answers: a document of ours, or a problem. */
export interface Answer {
  status: number;
  body: object;
}

/** As much of it as an answer may have: a body may be wrong in thousands of fields. */
export function refusal(document: Problem): Answer {
  return { status: document.status, body: boundedProblem(document) };
}

export function invalid(errors: readonly FieldError[]): Answer {
  return refusal(invalidRequest(errors));
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

/** The body as text; API Gateway may hand it over in base64. What is no UTF-8 in it becomes U+FFFD, which no field takes. */
export function bodyOf(event: APIGatewayProxyEvent): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

const JSON_CONTENT = /^application\/json(\s*;\s*charset="?utf-8"?)?\s*$/i;

/** The answer to a request whose body is not said to be JSON as it stands; undefined for one to be read. */
export function refuseContent({ headers }: Pick<APIGatewayProxyEvent, 'headers'>): Answer | undefined {
  const sent = (wanted: string) => Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];
  const [type, encoding] = [sent('content-type'), sent('content-encoding')];
  if (type === undefined || !JSON_CONTENT.test(type)) {
    return invalid([{ field: 'Content-Type', message: 'is not that of JSON', allowed: 'application/json' }]);
  }
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  return invalid([{ field: 'Content-Encoding', message: 'is not read', allowed: 'none' }]);
}

/** Gives the `{experimentId}` of the path to a route. One that no experiment may have is not looked for. */
export async function withExperimentId(
  { pathParameters }: Pick<APIGatewayProxyEvent, 'pathParameters'>,
  handle: (experimentId: string) => Promise<Answer>,
): Promise<Answer> {
  const experimentId = pathParameters?.experimentId ?? '';
  return isExperimentId(experimentId) ? handle(experimentId) : notFound(cut(experimentId, MAX_WORD_CHARACTERS));
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
      // Not API Gateway's, which the caller may choose: two requests must not share a line of our log.
      const requestId = randomUUID();
      log.error('request failed', { requestId, error: error as Error });
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
  return errors.length > 0 ? invalid(errors) : undefined;
}
