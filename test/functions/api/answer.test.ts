import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { route, withExperimentId } from '../../../functions/api/answer.ts';

const ask = async (query: Record<string, string> | null, parameters?: Parameters<typeof route>[1]) => {
  const handle = route(async () => ({ status: 200, body: {} }), parameters);
  const event = { queryStringParameters: query, requestContext: { requestId: '1' } } as unknown;
  // As much of the event as a route reads.
  const { statusCode, body } = await handle(event as APIGatewayProxyEvent);
  return [statusCode, (JSON.parse(body).errors ?? []).map(({ field }: { field: string }) => field)];
};

describe('a route', () => {
  it('takes no query that it does not know', async () => {
    expect(await ask(null)).toEqual([200, []]);
    expect(await ask({ dryRun: 'true' })).toEqual([400, ['dryRun']]);
    expect(await ask({ cluster: 'x', limit: '1' }, { cluster: 'any', fault: 'any' })).toEqual([400, ['limit']]);
    expect(await ask({ cluster: 'x' }, { cluster: 'any', fault: 'any' })).toEqual([200, []]);
  });
});

describe('the id in a path', () => {
  it.each(['', 'GLOBAL', 'REFUSAL#1', 'a b', 'x'.repeat(3000)])(
    'is looked for nowhere when no experiment can have it: %s',
    async (id) => {
      const looked: string[] = [];
      const handle = async (experimentId: string) => {
        looked.push(experimentId);
        return { status: 200, body: {} };
      };
      const answer = await withExperimentId({ pathParameters: { experimentId: id } }, handle);
      expect([answer.status, looked]).toEqual([404, []]);
      expect(JSON.stringify(answer.body).length).toBeLessThan(400);
      expect((await withExperimentId({ pathParameters: { experimentId: 'exp_1' } }, handle)).status).toBe(200);
    },
  );
});
