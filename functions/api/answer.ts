import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../experiment/experiment.ts';
import { type Problem, problem } from '../experiment/problem.ts';
import { log } from '../shared/log.ts';

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

/** Turns a route into a handler; whatever it throws becomes a problem document that gives nothing away. */
export function route(handle: (event: APIGatewayProxyEvent) => Promise<Answer>) {
  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    let answer: Answer;
    try {
      answer = await handle(event);
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
