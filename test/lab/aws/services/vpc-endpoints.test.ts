import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Credentials } from '../../../../lab/aws/protocol/principal.ts';
import { vpcEndpoints } from '../../../../lab/aws/services/vpc-endpoints.ts';
import { resolveTemplate } from '../../../../lab/aws/template/template.ts';
import { type Lab, PLACE, startLab, VPC_ADDRESSES } from '../fixture.ts';
import { TEMPLATE } from '../fixture-template.ts';

const [[FUNCTION = ''], [HOST = '']] = [VPC_ADDRESSES.functions, VPC_ADDRESSES.hosts];

it.each<[string, string, boolean]>([
  [FUNCTION, 'dynamodb', true],
  [FUNCTION, 'events', true],
  [FUNCTION, 'ssm', false],
  [FUNCTION, 'ec2', false],
  [HOST, 'dynamodb', true],
  [HOST, 'events', false],
  [HOST, 'ssm', true],
  ['127.0.0.1', 'ssm', true],
  ['127.0.0.1', 'ec2', true],
])('from %s to %s there is a way: %s', (from, service, expected) => {
  expect(vpcEndpoints(resolveTemplate(TEMPLATE, PLACE, new Map()), VPC_ADDRESSES)(from, service)).toBe(expected);
});

it('leaves all ways open to a stack without endpoints, which stands where a NAT gateway is', () => {
  expect(vpcEndpoints(resolveTemplate({ Resources: {} }, PLACE, new Map()), VPC_ADDRESSES)(FUNCTION, 'ssm')).toBe(true);
});

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
}, 60_000);
afterAll(() => lab.stop());

it('a function in the VPC gets no answer from a service without an endpoint, and the run has failed', async () => {
  const httpsAgent = new Agent({ ca: readFileSync(lab.caFile), localAddress: FUNCTION });
  const client = (credentials: Credentials) => ({ ...lab.client(credentials), requestHandler: { httpsAgent } });
  const inside = client(lab.system.administrator);
  const Key = { experimentId: { S: 'e' }, sequence: { N: '1' } };
  await new DynamoDBClient(inside).send(new GetItemCommand({ TableName: 'Test-AuditTable', Key }));
  const ask = new SSMClient(inside).send(new DescribeInstanceInformationCommand(), {
    abortSignal: AbortSignal.timeout(500),
  });
  await expect(ask).rejects.toMatchObject({ name: 'AbortError' });
  expect(lab.takeViolations()).toEqual([`ssm from ${FUNCTION}: no endpoint is declared for it`]);
  httpsAgent.destroy();
});
