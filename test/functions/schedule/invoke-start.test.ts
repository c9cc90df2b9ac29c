import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { invokeStart } from '../../../functions/schedule/invoke-start.ts';
import { CALLER } from '../domain/fixtures.ts';

function answering(payload: unknown, FunctionError?: string) {
  const sent: unknown[] = [];
  const client = {
    send: async (command: InvokeCommand) => {
      sent.push(JSON.parse(String(command.input.Payload)));
      return { Payload: Buffer.from(JSON.stringify(payload)), ...(FunctionError ? { FunctionError } : {}) };
    },
  };
  return { client: client as unknown as LambdaClient, sent };
}

describe('the start that a schedule asks for', () => {
  it('is asked for as API Gateway does, with the caller it is given and no query', async () => {
    const { client, sent } = answering({ statusCode: 409, body: '{"type":"t"}' });
    expect(await invokeStart(client, 'start', '{"a":1}', CALLER)).toEqual({ status: 409, body: { type: 't' } });
    expect(sent).toMatchObject([
      {
        ...{ body: '{"a":1}', isBase64Encoded: false, queryStringParameters: null },
        headers: { 'content-type': 'application/json' },
        requestContext: { identity: { userArn: CALLER.arn, accountId: CALLER.accountId, sourceIp: CALLER.sourceIp } },
      },
    ]);
  });

  it('has no answer when the function failed, or said something else', async () => {
    await expect(invokeStart(answering({ errorMessage: 'x' }, 'Unhandled').client, 's', '{}', CALLER)).rejects.toThrow(
      /Unhandled/,
    );
    for (const payload of [null, {}, { statusCode: 200 }, { statusCode: 200, body: 'not JSON' }])
      await expect(invokeStart(answering(payload).client, 's', '{}', CALLER)).rejects.toThrow();
  });
});
