import { describe, expect, it } from 'vitest';
import type { HttpAnswer, WireRequest } from '../../../../lab/aws/protocol/http.ts';
import { readModels } from '../../../../lab/aws/referee/model.ts';
import { Referee } from '../../../../lab/aws/referee/referee.ts';
import { LAB_PACKAGES, pythonPackages } from '../../../../lab/shared/python-packages.ts';

const models = readModels(pythonPackages(LAB_PACKAGES));

function request(method: string, url: string, body: string, headers: Record<string, string> = {}): WireRequest {
  return { method, url, headers, body: Buffer.from(body), sourceIp: '127.0.0.1' };
}
const json = (target: string, body: object) => request('POST', '/', JSON.stringify(body), { 'x-amz-target': target });
const form = (fields: Record<string, string>) => request('POST', '/', `${new URLSearchParams(fields)}`);
const answer = (body: object | string, status = 200, headers: Record<string, string> = {}): HttpAnswer => ({
  ...{ status, headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const error = (code: string, status = 400, fields: object = {}): HttpAnswer =>
  answer({ __type: code, message: 'x', Message: 'x', ...fields }, status, { 'x-amzn-errortype': code });

/** What the referee tells of one exchange; empty: AWS could have had it. */
function told(service: string, asked: WireRequest, given?: HttpAnswer): string[] {
  const violations: string[] = [];
  const referee = new Referee(models, (violation) => violations.push(violation));
  const judge = (): void => {
    if (given === undefined) referee.judgeRequest(service, asked);
    else referee.judgeAnswer(service, asked, given);
  };
  try {
    judge();
  } catch {
    expect(violations).not.toEqual([]);
  }
  return violations;
}

const COMMAND_ID = '0123abcd-0123-0123-0123-0123456789ab';
const GET = { CommandId: COMMAND_ID, InstanceId: 'i-0123456789abcdef0' };
const getCommand = json('AmazonSSM.GetCommandInvocation', GET);

describe('a service of the JSON protocol', () => {
  it.each<[string, object, string[]]>([
    ['whole', GET, []],
    ['without a member that is required', { CommandId: COMMAND_ID }, ['InstanceId is required']],
    ['with one that AWS does not know', { ...GET, Wait: true }, ['Wait is no member']],
  ])('is asked with an input that is %s', (_what, input, rules) => {
    const expected = rules.map((rule) => `ssm.GetCommandInvocation request: ${rule}`);
    expect(told('ssm', json('AmazonSSM.GetCommandInvocation', input))).toEqual(expected);
  });

  it('never answers more than the 24,000 characters that it keeps', () => {
    expect(told('ssm', getCommand, answer({ StandardOutputContent: 'o'.repeat(24_000) }))).toEqual([]);
    expect(told('ssm', getCommand, answer({ StandardOutputContent: 'o'.repeat(24_001) }))).toEqual([
      'ssm.GetCommandInvocation answer: StandardOutputContent has 24001 characters, at most 24000 are allowed',
    ]);
  });

  it('ends in the errors of its operation, or in those of all', () => {
    expect(told('ssm', getCommand, error('InvocationDoesNotExist'))).toEqual([]);
    expect(told('ssm', getCommand, error('AccessDeniedException'))).toEqual([]);
    expect(told('ssm', getCommand, error('CommandNotFound'))).toEqual([
      'ssm.GetCommandInvocation answer: CommandNotFound is no error of this operation',
    ]);
    expect(told('ssm', getCommand, error('InvocationDoesNotExist', 400, { Hint: 'x' }))).toEqual([
      'ssm.GetCommandInvocation answer: InvocationDoesNotExist.Hint is no member',
    ]);
  });
});

describe('a service of the REST protocol', () => {
  const get = request('GET', '/experiments/EXPabc', '');
  const experiment = { id: 'EXPabc', state: { status: 'running', reason: 'x' } };

  it('takes its input from path, query and body', () => {
    expect(told('fis', get)).toEqual([]);
    expect(told('fis', request('GET', '/experiments?maxResults=10', ''))).toEqual([]);
    expect(told('fis', request('GET', '/experiments?maxResults=101', ''))).toEqual([
      'fis.ListExperiments request: maxResults has 101, at most 100 are allowed',
    ]);
    expect(told('fis', request('GET', '/experiments?size=1', ''))[0]).toMatch(/size, which is no member/);
    expect(told('fis', request('POST', '/experiments', '{"experimentTemplateId":"EXTa"}'))).toEqual([
      'fis.StartExperiment request: clientToken is required',
    ]);
  });

  it('answers only states that there are', () => {
    expect(told('fis', get, answer({ experiment }))).toEqual([]);
    const asleep = { ...experiment, state: { status: 'asleep' } };
    expect(told('fis', get, answer({ experiment: asleep }))[0]).toMatch(
      /experiment.state.status must be one of pending,/,
    );
  });

  it('has a status for each of its errors', () => {
    const start = request('POST', '/experiments', '{"clientToken":"c","experimentTemplateId":"EXTa"}');
    expect(told('fis', start, error('ServiceQuotaExceededException', 402))).toEqual([]);
    expect(told('fis', start, error('ServiceQuotaExceededException', 400))).toEqual([
      'fis.StartExperiment answer: ServiceQuotaExceededException has the status 402',
    ]);
  });

  it('may take the whole body as bytes', () => {
    const path = '/2015-03-31/functions/Guard/invocations';
    expect(told('lambda', request('POST', path, 'any bytes', { 'x-amz-invocation-type': 'Event' }))).toEqual([]);
    expect(told('lambda', request('POST', path, '', { 'x-amz-invocation-type': 'Later' }))[0]).toMatch(
      /InvocationType/,
    );
    expect(told('lambda', request('POST', path, ''), answer('{}', 202))).toEqual([]);
  });
});

describe('EC2', () => {
  const describeThem = form({
    Action: 'DescribeInstances',
    Version: '2016-11-15',
    'InstanceId.1': 'i-1',
    'Filter.1.Name': 'tag:a',
  });
  const xml = (content: string) =>
    answer(
      `<DescribeInstancesResponse xmlns="http://x/"><requestId>r</requestId>${content}</DescribeInstancesResponse>`,
    );

  it('is asked with fields that it has', () => {
    expect(told('ec2', describeThem)).toEqual([]);
    expect(told('ec2', form({ Action: 'DescribeInstances', 'InstanceIds.1': 'i-1' }))).toEqual([
      "ec2.DescribeInstances request: 'InstanceIds' is no member",
    ]);
    expect(told('ec2', form({ Action: 'DescribeInstances', MaxResults: 'many' }))).toEqual([
      'ec2.DescribeInstances request: MaxResults must be a whole number',
    ]);
  });

  it('answers XML of the elements that it has', () => {
    const instance =
      '<item><instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState></item>';
    const reservation = (items: string) =>
      xml(`<reservationSet><item><instancesSet>${items}</instancesSet></item></reservationSet>`);
    expect(told('ec2', describeThem, reservation(instance))).toEqual([]);
    expect(told('ec2', describeThem, reservation(instance.replace('running', 'up')))[0]).toMatch(
      /State.Name must be one of/,
    );
    expect(told('ec2', describeThem, xml('<reservations/>'))).toEqual([
      "ec2.DescribeInstances answer: 'reservations' is no member",
    ]);
    expect(told('ec2', describeThem, xml('<reservationSet><instance/></reservationSet>'))[0]).toMatch(
      /<item> is expected/,
    );
    expect(told('ec2', describeThem, xml('<reservationSet>'))[0]).toMatch(/closes/);
  });

  it('answers errors in its own form', () => {
    const body =
      '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error></Errors></Response>';
    expect(told('ec2', describeThem, answer(body, 403))).toEqual([]);
    expect(told('ec2', describeThem, error('UnauthorizedOperation', 403))).not.toEqual([]);
  });
});

describe('another service of the query protocol', () => {
  const fields = { Action: 'DescribeAutoScalingGroups', 'AutoScalingGroupNames.member.1': 'a' };
  const groups = (items: string) =>
    answer(
      `<DescribeAutoScalingGroupsResponse xmlns="http://x/"><DescribeAutoScalingGroupsResult><AutoScalingGroups>${items}</AutoScalingGroups>` +
        '</DescribeAutoScalingGroupsResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeAutoScalingGroupsResponse>',
    );

  it('has lists and answers of another form than EC2', () => {
    expect(told('autoscaling', form(fields))).toEqual([]);
    expect(told('autoscaling', form({ Action: fields.Action, 'AutoScalingGroupNames.1': 'a' }))).toEqual([
      'autoscaling.DescribeAutoScalingGroups request: AutoScalingGroupNames must be a list',
    ]);
    expect(told('autoscaling', form(fields), groups(''))).toEqual([]);
    expect(
      told('autoscaling', form(fields), groups('<member><AutoScalingGroupName>a</AutoScalingGroupName></member>'))[0],
    ).toMatch(/AutoScalingGroups\[0\].MinSize is required/);
  });
});

it('judges no service that AWS does not describe', () => {
  expect(told('execute-api', request('POST', '/api/v1', 'x'))).toEqual([]);
});
