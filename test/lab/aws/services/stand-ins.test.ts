import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { Sha256 } from '@aws-crypto/sha256-js';
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAlarmStates } from '../../../../functions/aws/alarm-states.ts';
import type { Credentials } from '../../../../lab/aws/protocol/principal.ts';
import { ACCOUNT_ID, LAB_USERS, REGION } from '../../../../lab/shared/topology.ts';
import { eventually, functionCredentials, type Lab, startLab } from '../fixture.ts';

let lab: Lab;
let administrator: object;
let asFunction: object;
beforeAll(async () => {
  lab = await startLab();
  administrator = lab.client(lab.system.administrator);
  asFunction = lab.client(functionCredentials(lab));
}, 60_000);
afterAll(() => lab.stop());

describe('DynamoDB', () => {
  const insert = (sequence: string) =>
    new ExecuteStatementCommand({
      Statement: `INSERT INTO "Test-AuditTable" VALUE {'experimentId': ?, 'sequence': ?, 'type': ?}`,
      Parameters: [{ S: 'e' }, { N: sequence }, { S: 'ADMITTED' }],
    });

  it('refuses to INSERT an entry that exists, and keeps the first', async () => {
    const client = new DynamoDBClient(asFunction);
    await client.send(insert('1'));
    await expect(client.send(insert('1'))).rejects.toMatchObject({ name: 'DuplicateItemException' });
    await client.send(insert('2'));
    const { Item } = await client.send(
      new GetItemCommand({ TableName: 'Test-AuditTable', Key: { experimentId: { S: 'e' }, sequence: { N: '1' } } }),
    );
    expect(Item?.type?.S).toBe('ADMITTED');
  });

  it('denies what no policy of the role allows', async () => {
    const put = new PutItemCommand({
      TableName: 'Test-AuditTable',
      Item: { experimentId: { S: 'e' }, sequence: { N: '1' } },
    });
    await expect(new DynamoDBClient(asFunction).send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await new DynamoDBClient(administrator).send(put);
  });

  it('denies an update that names another attribute than the policy allows, by whatever name', async () => {
    const update = (UpdateExpression: string, names: Record<string, string> = {}) =>
      new DynamoDBClient(asFunction).send(
        new UpdateItemCommand({
          TableName: 'Test-AuditTable',
          Key: { experimentId: { S: 'GLOBAL' }, sequence: { N: '1' } },
          UpdateExpression,
          ConditionExpression: 'attribute_not_exists(#state) OR #state <> :value',
          ExpressionAttributeNames: { '#state': 'state', ...names },
          ExpressionAttributeValues: { ':value': { S: 'RELEASED' } },
        }),
      );
    await update('SET #state = :value');
    const denied = { name: 'AccessDeniedException' };
    await expect(update('SET #state = :value, beat = :value')).rejects.toMatchObject(denied);
    await expect(update('SET #state = :value, #b = :value', { '#b': 'beat' })).rejects.toMatchObject(denied);
    await expect(update('SET #state = :value REMOVE grants')).rejects.toMatchObject(denied);
  });

  it('does not answer while one of its tables is down, and answers for the others', async () => {
    const get = new GetItemCommand({
      TableName: 'Test-AuditTable',
      Key: { experimentId: { S: 'none' }, sequence: { N: '1' } },
    });
    const ask = () => new DynamoDBClient(asFunction).send(get, { abortSignal: AbortSignal.timeout(300) });
    lab.system.outages.now = [{ service: 'dynamodb', resource: 'AuditTable' }];
    await expect(ask()).rejects.toMatchObject({ name: 'AbortError' });
    lab.system.outages.now = [{ service: 'dynamodb', resource: 'OtherTable' }, { service: 'states' }];
    expect((await ask()).Item).toBeUndefined();
    lab.system.outages.now = [];
  });

  it('hangs while it is frozen and goes on when thawed', async () => {
    const get = new GetItemCommand({
      TableName: 'Test-AuditTable',
      Key: { experimentId: { S: 'none' }, sequence: { N: '1' } },
    });
    lab.system.dynamoDb.freeze(true);
    const impatient = new DynamoDBClient(asFunction).send(get, { abortSignal: AbortSignal.timeout(300) });
    await expect(impatient).rejects.toMatchObject({ name: 'AbortError' });
    const patient = new DynamoDBClient(asFunction).send(get);
    lab.system.dynamoDb.freeze(false);
    expect((await patient).Item).toBeUndefined();
  });
});

describe('Lambda', () => {
  const invoke = async (name: string, event: object = {}) => {
    const answer = await new LambdaClient(administrator).send(
      new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }),
    );
    return { error: answer.FunctionError, payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) };
  };

  it('reports a function that is killed as Runtime.ExitError, and runs the next call in a new process', async () => {
    for (let times = 0; times < 2; times += 1) {
      const { error, payload } = await invoke('Test-Crash');
      expect([error, payload.errorType]).toEqual(['Unhandled', 'Runtime.ExitError']);
    }
  });

  it('names a thrown error by its name', async () => {
    expect((await invoke('Test-Fail')).payload).toMatchObject({
      errorType: 'GuardrailBreached',
      errorMessage: 'p99 above 200 ms',
    });
  });

  it('kills a function at its timeout, and refuses a call above its reserved concurrency', async () => {
    const first = invoke('Test-Hang');
    await eventually(5, () =>
      lab.system.lambda.find('Test-Hang').environments.some(({ state }) => state === 'busy') ? true : undefined,
    );
    await expect(invoke('Test-Hang')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    const [environment] = lab.system.lambda.find('Test-Hang').environments;
    expect((await first).payload.errorType).toBe('Sandbox.Timedout');
    expect(environment?.state).toBe('dead');
    await eventually(5, () => (isAlive(environment?.pid) ? undefined : true));
  });

  it('reuses a warm process and starts another one for a second call at once', async () => {
    const pids = await Promise.all([invoke('Test-Pid'), invoke('Test-Pid')]);
    expect(new Set(pids.map(({ payload }) => payload)).size).toBe(2);
    expect(pids.map(({ payload }) => payload)).toContain((await invoke('Test-Pid')).payload);
  });

  it("gives a function the template's environment and nothing of the lab's own", async () => {
    process.env.LAB_SECRET_OF_THE_TEST = 'x';
    const { payload } = await invoke('Test-Environment');
    expect(payload).toMatchObject({ TABLE: 'Test-AuditTable', AWS_ENDPOINT_URL: lab.endpoint, AWS_REGION: REGION });
    expect(payload).not.toHaveProperty('LAB_SECRET_OF_THE_TEST');
  });

  it('runs a function in the network of the VPC only when it has a VPC configuration', async () => {
    expect((await invoke('Test-InVpc')).payload).toMatchObject({ VPC_OF_THE_TEST: 'inside' });
    expect((await invoke('Test-Environment')).payload).toMatchObject({ VPC_OF_THE_TEST: 'outside' });
  });
});

describe('Step Functions', () => {
  const describeIt = (executionArn: string | undefined) =>
    new SFNClient(administrator).send(new DescribeExecutionCommand({ executionArn }));
  const start = (name: string, input = '{"n":1}') =>
    new SFNClient(administrator).send(
      new StartExecutionCommand({ stateMachineArn: lab.system.stepFunctions.stateMachineArns[0], name, input }),
    );

  it('catches an error of one branch, stops the waiting one, and rolls back with the cause', async () => {
    const { executionArn } = await start('caught');
    const done = await eventually(10, async () => {
      const found = await describeIt(executionArn);
      return found.status === 'RUNNING' ? undefined : found;
    });
    expect(done.status).toBe('SUCCEEDED');
    const { seen } = JSON.parse(done.output ?? '{}');
    expect(seen.cause.Error).toBe('GuardrailBreached');
    expect(JSON.parse(seen.cause.Cause)).toMatchObject({ errorMessage: 'p99 above 200 ms' });
    const [execution] = lab.system.stepFunctions.executions.values();
    expect(execution?.entered).not.toContain('Never');
  });

  it('stands still while it is frozen, also with what failed meanwhile, and goes on when thawed', async () => {
    lab.system.stepFunctions.freeze(true);
    const { executionArn } = await start('frozen');
    await new Promise((done) => setTimeout(done, 500));
    expect((await describeIt(executionArn)).status).toBe('RUNNING');
    lab.system.stepFunctions.freeze(false);
    await eventually(10, async () => ((await describeIt(executionArn)).status === 'SUCCEEDED' ? true : undefined));
  });

  it('refuses a second execution of the same name', async () => {
    await expect(start('caught', '{"n":2}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('stops an execution without running its catchers', async () => {
    const { executionArn } = await start('stopped');
    await new SFNClient(administrator).send(new StopExecutionCommand({ executionArn, error: 'Test' }));
    expect(await describeIt(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Test' });
    const ends = lab.system.events.events.filter(({ source }) => source === 'aws.states');
    expect(ends.at(-1)).toMatchObject({
      'detail-type': 'Step Functions Execution Status Change',
      detail: { name: 'stopped', status: 'ABORTED', executionArn, input: expect.any(String) },
    });
  });
});

describe('API Gateway', () => {
  const call = async (path: string, credentials?: Credentials, more: Record<string, string> = {}) => {
    const url = new URL(lab.endpoint + path);
    const body = '{"a":1}';
    const request = {
      method: 'POST',
      protocol: 'https:',
      hostname: 'localhost',
      path: url.pathname,
      headers: { host: url.host, ...more },
      body,
    };
    const headers =
      credentials === undefined
        ? request.headers
        : (await new SignatureV4({ credentials, region: REGION, service: 'execute-api', sha256: Sha256 }).sign(request))
            .headers;
    return new Promise<{ status: number | undefined; body: string }>((done, fail) => {
      const outgoing = httpsRequest(url, { method: 'POST', headers, ca: readFileSync(lab.caFile) }, (response) => {
        let text = '';
        response
          .on('data', (chunk) => (text += chunk))
          .on('end', () => done({ status: response.statusCode, body: text }));
      });
      outgoing.on('error', fail).end(body);
    });
  };

  it('refuses an unsigned call', async () => {
    expect(await call('/api/experiments/e1')).toEqual({
      status: 403,
      body: '{"message":"Missing Authentication Token"}',
    });
  });

  it('passes a signed call on with the caller that the signature proves', async () => {
    const { status, body } = await call('/api/experiments/e1', lab.system.operator);
    expect(status).toBe(202);
    expect(JSON.parse(body)).toMatchObject({
      who: `arn:aws:iam::${ACCOUNT_ID}:user/${LAB_USERS.operator}`,
      id: 'e1',
      body: '{"a":1}',
    });
  });

  it('lets the caller choose the id of the request, as the service does', async () => {
    const idWith = async (more: Record<string, string>) =>
      JSON.parse((await call('/api/experiments/e1', lab.system.operator, more)).body).requestId;
    expect(await idWith({ 'x-amzn-RequestId': 'chosen-by-the-caller' })).toBe('chosen-by-the-caller');
    expect(await idWith({ 'x-amzn-RequestId': 'two words' })).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idWith({})).not.toBe(await idWith({}));
  });

  it('refuses a caller without execute-api:Invoke, and an unknown route', async () => {
    expect((await call('/api/experiments/e1', functionCredentials(lab))).status).toBe(403);
    expect((await call('/api/nothing', lab.system.operator)).status).toBe(403);
  });

  it('gives the operator nothing but the API', async () => {
    const get = new GetItemCommand({
      TableName: 'Test-AuditTable',
      Key: { experimentId: { S: 'e' }, sequence: { N: '1' } },
    });
    await expect(new DynamoDBClient(lab.client(lab.system.operator)).send(get)).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});

describe('SNS', () => {
  const arn = (name: string) => `arn:aws:sns:${REGION}:${ACCOUNT_ID}:Test-${name}`;
  const publish = (Subject: string, Message = 'text', TopicArn = arn('Told')) =>
    new SNSClient(asFunction).send(new PublishCommand({ TopicArn, Subject, Message }));

  it('keeps what was published, and says how many listen', async () => {
    const { MessageId } = await publish('a <subject>', 'a & b\nc');
    expect(lab.system.sns.messages.at(-1)).toMatchObject({
      ...{ messageId: MessageId, topicArn: arn('Told'), subject: 'a <subject>', message: 'a & b\nc' },
    });
    const attributes = async () =>
      (await new SNSClient(asFunction).send(new GetTopicAttributesCommand({ TopicArn: arn('Told') }))).Attributes;
    expect(await attributes()).toMatchObject({ TopicArn: arn('Told'), SubscriptionsConfirmed: '1' });
    lab.system.sns.isSubscribed = false;
    expect(await attributes()).toMatchObject({ SubscriptionsConfirmed: '0' });
    lab.system.sns.isSubscribed = true;
  });

  it('takes no subject and no message that the service would not take', async () => {
    for (const subject of ['x'.repeat(100), 'two\nlines', ''])
      await expect(publish(subject), subject).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(publish('x', 'm'.repeat(256 * 1024 + 1))).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await publish('x'.repeat(99), 'm'.repeat(256 * 1024));
  });

  it('takes nothing for a topic that the role may not publish to, nor when it is down', async () => {
    await expect(publish('x', 'text', arn('Other'))).rejects.toMatchObject({ name: 'AccessDenied' });
    lab.system.sns.refuses = true;
    await expect(publish('x')).rejects.toMatchObject({ name: 'InternalErrorException' });
    lab.system.sns.refuses = false;
  });
});

describe('the other services', () => {
  it('EC2 finds the hosts by tag and state, with every address', async () => {
    const filters = [
      { Name: 'tag:Name', Values: ['redis-node-3'] },
      { Name: 'instance-state-name', Values: ['running'] },
    ];
    const { Reservations } = await new EC2Client(administrator).send(
      new DescribeInstancesCommand({ Filters: filters }),
    );
    const [instance, ...more] = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    expect(more).toEqual([]);
    expect(instance?.NetworkInterfaces?.map(({ PrivateIpAddress }) => PrivateIpAddress)).toEqual([
      '10.78.0.13',
      '10.77.0.13',
    ]);
    expect(instance?.Tags).toContainEqual({ Key: 'holdfast-target', Value: 'true' });
    await expect(new EC2Client(asFunction).send(new DescribeInstancesCommand({}))).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
    });
  });

  it('Auto Scaling terminates a member that is stopped, unless its group is kept from it, and tells of its groups', async () => {
    const { instances } = lab.system;
    const [one, two] = instances.hosts;
    if (!one || !two) throw new Error('no hosts');
    const group = {
      name: 'stores',
      hosts: [one.name],
      healthChecks: ['EC2', 'ELB'],
      suspendedProcesses: [] as string[],
    };
    const spared = { ...group, name: 'spared', hosts: [two.name], suspendedProcesses: ['Terminate'] };
    instances.scalingGroups = [group, spared];
    try {
      const client = new AutoScalingClient(administrator);
      const asked = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ['spared', 'none'] });
      expect((await client.send(asked)).AutoScalingGroups).toMatchObject([
        {
          AutoScalingGroupName: 'spared',
          HealthCheckType: 'EC2,ELB',
          SuspendedProcesses: [{ ProcessName: 'Terminate' }],
        },
      ]);
      await expect(new AutoScalingClient(asFunction).send(asked)).rejects.toMatchObject({ name: 'AccessDenied' });
      const filters = [{ Name: 'tag:aws:autoscaling:groupName', Values: ['stores'] }];
      const { Reservations } = await new EC2Client(administrator).send(
        new DescribeInstancesCommand({ Filters: filters }),
      );
      expect(Reservations?.[0]?.Instances?.[0]?.InstanceId).toBe(one.instanceId);
      await Promise.all([instances.reboot(one), instances.stop(two)]);
      expect([instances.stateOf(one), instances.stateOf(two)]).toEqual(['terminated', 'stopped']);
    } finally {
      instances.scalingGroups = [];
      await instances.start(two);
    }
  });

  it('CloudWatch shows an alarm that was raised, and EventBridge its change', async () => {
    lab.system.cloudWatch.setState('gateway-errors', 'ALARM');
    const { MetricAlarms } = await new CloudWatchClient(administrator).send(
      new DescribeAlarmsCommand({ AlarmNames: ['gateway-errors'] }),
    );
    expect(MetricAlarms?.[0]?.StateValue).toBe('ALARM');
    expect(lab.system.events.events.at(-1)).toMatchObject({
      source: 'aws.cloudwatch',
      detail: { alarmName: 'gateway-errors', state: { value: 'ALARM' } },
    });
    await new CloudWatchClient(administrator).send(
      new PutMetricDataCommand({ Namespace: 'Holdfast', MetricData: [{ MetricName: 'beat', Value: 1 }] }),
    );
    expect(lab.system.usage.metricDatums).toBe(1);
  });

  it('CloudWatch shows composite alarms to those only who ask for them and may see all, with their rule', async () => {
    const { cloudWatch } = lab.system;
    cloudWatch.setState('orders / "eu"', 'ALARM', 'of the test', { alarmRule: 'ALARM("a") OR ALARM("b")' });
    const read = (credentials: object, more: Partial<DescribeAlarmsCommandInput> = {}) =>
      new CloudWatchClient(credentials).send(new DescribeAlarmsCommand({ AlarmNames: ['orders / "eu"'], ...more }));
    expect((await read(administrator)).MetricAlarms).toEqual([]);
    expect((await read(asFunction)).CompositeAlarms).toEqual([]);
    const AlarmTypes = ['CompositeAlarm' as const];
    expect((await read(administrator, { AlarmTypes })).CompositeAlarms).toMatchObject([
      { AlarmName: 'orders / "eu"', StateValue: 'ALARM', AlarmRule: 'ALARM("a") OR ALARM("b")' },
    ]);
    await expect(read(asFunction, { AlarmTypes })).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const detail = lab.system.events.events.at(-1)?.detail;
    expect(detail).toMatchObject({ configuration: { alarmRule: 'ALARM("a") OR ALARM("b")' } });
  });

  it('CloudWatch answers a hundred names at most, in pages of fifty, and the product asks for all', async () => {
    const names = Array.from({ length: 130 }, (_, index) => `alarm ${index} / "ä"`);
    const { cloudWatch } = lab.system;
    for (const [index, name] of names.entries()) {
      cloudWatch.setState(name, 'OK', 'of the test', {
        ...(index % 3 === 0 ? { alarmRule: 'FALSE' } : {}),
        actionsEnabled: index !== 100,
      });
    }
    const client = new CloudWatchClient(administrator);
    await expect(client.send(new DescribeAlarmsCommand({ AlarmNames: names }))).rejects.toThrow();
    expect(lab.takeViolations()).toEqual([expect.stringContaining('at most 100 are allowed')]);
    const states = await readAlarmStates(client, [...names, 'missing']);
    expect(states.size).toBe(names.length);
    expect([...states].filter(([, state]) => state !== 'OK')).toEqual([['alarm 100 / "ä"', 'SILENCED']]);
    for (const name of names) cloudWatch.alarms.delete(name);
  });

  it('keeps events and serves the store secret', async () => {
    await new EventBridgeClient(administrator).send(
      new PutEventsCommand({ Entries: [{ Source: 'holdfast', DetailType: 'Phase', Detail: '{"a":1}' }] }),
    );
    expect(lab.system.events.events.at(-1)).toMatchObject({ source: 'holdfast', detail: { a: 1 } });
    const { SecretString } = await new SecretsManagerClient(administrator).send(
      new GetSecretValueCommand({ SecretId: 'redis' }),
    );
    expect(JSON.parse(SecretString ?? '{}')).toMatchObject({ username: 'holdfast' });
    await expect(
      new SecretsManagerClient(administrator).send(new GetSecretValueCommand({ SecretId: 'nobody' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('Secrets Manager decrypts with a customer’s key for those only who may use that key through it', async () => {
    const asFunctionNow = new SecretsManagerClient(asFunction);
    const read = (SecretId: string) => asFunctionNow.send(new GetSecretValueCommand({ SecretId }));
    expect((await read('redis-own-key')).SecretString).toBe('x');
    await expect(read('redis-other-key')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('kms:Decrypt'),
    });
  });
});

function isAlive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}
