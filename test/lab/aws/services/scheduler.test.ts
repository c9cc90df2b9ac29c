import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsError } from '../../../../lab/aws/protocol/aws-error.ts';
import type { JsonObject } from '../../../../lab/aws/protocol/json.ts';
import type { Authorizer, Principal } from '../../../../lab/aws/protocol/principal.ts';
import type { Lambda } from '../../../../lab/aws/services/lambda.ts';
import { Scheduler } from '../../../../lab/aws/services/scheduler.ts';
import { scheduleExpression } from '../../../../lab/aws/services/scheduler-expression.ts';
import { Sqs } from '../../../../lab/aws/services/sqs.ts';
import { resolveTemplate } from '../../../../lab/aws/template/template.ts';

const PLACE = { accountId: '111122223333', region: 'eu-west-1', stackName: 'Test' };
const FUNCTION = 'arn:aws:lambda:eu-west-1:111122223333:function:Test-Function';
const allow = (Action: string, Resource: unknown) => ({ Effect: 'Allow', Action, Resource });
const getArn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

function templateWith(schedule: JsonObject, statements: object[], service = 'scheduler.amazonaws.com') {
  const Statement = [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }];
  const Resources = {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: { Statement },
        Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      },
    },
    Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
    Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'group' } },
    Daily: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ...{ Name: 'daily', GroupName: 'group', State: 'ENABLED', FlexibleTimeWindow: { Mode: 'OFF' } },
        ...{ ScheduleExpression: 'cron(0 3 * * ? *)', ScheduleExpressionTimezone: 'Europe/Berlin' },
        Target: {
          ...{ Arn: FUNCTION, RoleArn: getArn('Role'), Input: '{"at":"<aws.scheduler.scheduled-time>"}' },
          DeadLetterConfig: { Arn: getArn('Queue') },
          RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 },
        },
        ...schedule,
      },
    },
  };
  return resolveTemplate(JSON.parse(JSON.stringify({ Resources })), PLACE, new Map());
}
const MAY_ALL = [allow('lambda:InvokeFunction', FUNCTION), allow('sqs:SendMessage', getArn('Queue'))];

/** Whether the role that is assumed has a statement for it. IAM's own rules have tests of their own, and read files. */
const authorizer: Authorizer = {
  require: async ({ policies }, demands) => {
    for (const { action, resource } of demands) {
      const allowed = JSON.stringify(allow(action, resource));
      if (!JSON.stringify(policies).includes(allowed)) throw new AwsError('AccessDeniedException', action, 403);
    }
  },
};

/** A Scheduler of its own whose function answers as it is told. */
function made({
  schedule = {},
  statements = MAY_ALL,
  fails = [] as Error[],
  service = 'scheduler.amazonaws.com',
} = {}) {
  const template = templateWith(schedule, statements, service);
  const delivered: unknown[] = [];
  const lambda = {
    enqueue: async (principal: Principal, arn: string, event: unknown) => {
      await authorizer.require(principal, [{ action: 'lambda:InvokeFunction', resource: arn }]);
      const failure = fails.shift();
      if (failure) throw failure;
      delivered.push(event);
    },
  };
  const sqs = new Sqs(template, authorizer);
  return { delivered, sqs, scheduler: new Scheduler(template, lambda as unknown as Lambda, sqs) };
}
const at = (iso: string) => Date.parse(iso);
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const settle = () => pass(500);

describe('the lab’s Scheduler', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: at('2026-06-01T12:00:00Z') });
    vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('delivers the time that was due once it is there, by its own clock', async () => {
    const { scheduler, delivered } = made();
    scheduler.start();
    scheduler.moveTo(at('2026-06-02T00:59:58Z'));
    await settle();
    expect(delivered).toEqual([]);
    await pass(2000);
    expect(delivered).toEqual([{ at: '2026-06-02T01:00:00Z' }]);
    await pass(120_000);
    expect(delivered).toHaveLength(1);
    scheduler.stop();
  });

  it('delivers all that was due while its clock was moved by days, and what is due where it is moved to from afar', async () => {
    const { scheduler, delivered } = made();
    scheduler.start();
    scheduler.moveTo(at('2026-06-03T12:00:00Z'));
    await settle();
    expect(delivered).toEqual([{ at: '2026-06-02T01:00:00Z' }, { at: '2026-06-03T01:00:00Z' }]);
    scheduler.moveTo(at('2099-01-05T02:00:00Z'));
    await settle();
    expect(delivered.slice(2)).toEqual([{ at: '2099-01-05T02:00:00Z' }]);
    scheduler.stop();
  });

  it('may deliver a time twice, and what is disabled never', async () => {
    for (const [State, times] of [
      ['ENABLED', 2],
      ['DISABLED', 0],
    ] as const) {
      const { scheduler, delivered } = made({ schedule: { State } });
      scheduler.deliverTwice = true;
      scheduler.start();
      scheduler.moveTo(at('2026-06-02T01:00:00Z'));
      await settle();
      expect(delivered).toHaveLength(times);
      scheduler.stop();
    }
  });

  it('tries again what was throttled, as often as the schedule says, and then leaves it in the queue', async () => {
    const throttled = () => new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
    const patient = made({ fails: [throttled(), throttled()] });
    patient.scheduler.start();
    patient.scheduler.moveTo(at('2026-06-02T01:00:00Z'));
    await pass(10_000);
    expect([patient.delivered.length, patient.sqs.messages]).toEqual([1, []]);
    patient.scheduler.stop();

    const hopeless = made({ fails: [throttled(), throttled(), throttled()] });
    hopeless.scheduler.start();
    hopeless.scheduler.moveTo(at('2026-06-02T01:00:00Z'));
    await pass(10_000);
    expect(hopeless.delivered).toEqual([]);
    expect(hopeless.sqs.messages).toMatchObject([
      {
        body: '{"at":"2026-06-02T01:00:00Z"}',
        attributes: { ERROR_CODE: 'TooManyRequestsException', RETRY_ATTEMPTS: '2', TARGET_ARN: FUNCTION },
      },
    ]);
    hopeless.scheduler.stop();
  });

  it('delivers nothing that its role may not, and does not try that again', async () => {
    const { scheduler, delivered, sqs } = made({ statements: MAY_ALL.slice(1) });
    scheduler.start();
    scheduler.moveTo(at('2026-06-02T01:00:00Z'));
    await pass(10_000);
    expect(delivered).toEqual([]);
    expect(sqs.messages).toMatchObject([{ attributes: { ERROR_CODE: 'AccessDeniedException', RETRY_ATTEMPTS: '0' } }]);
    scheduler.stop();
  });

  it('loses what its role may not even leave in the queue', async () => {
    const { scheduler, sqs } = made({ statements: [] });
    scheduler.start();
    scheduler.moveTo(at('2026-06-02T01:00:00Z'));
    await settle();
    expect(sqs.messages).toEqual([]);
    scheduler.stop();
  });

  it.each([
    ['a role that does not trust it', { service: 'lambda.amazonaws.com' }, /does not trust scheduler/],
    ['a group that is not there', { schedule: { GroupName: 'other' } }, /no schedule group other/],
    ['a flexible window', { schedule: { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } } }, /FlexibleTimeWindow/],
    [
      'an expression that it does not know',
      { schedule: { ScheduleExpression: 'at(2026-01-01T00:00:00)' } },
      /knows cron/,
    ],
  ])('refuses %s', (_what, options, words) => {
    expect(() => made(options)).toThrow(words);
  });
});

describe('an expression in the lab', () => {
  const minute = (iso: string) => at(iso) / 60_000;

  it('of a rate is due when it was made, and then each time that much later', () => {
    const { isDue } = scheduleExpression('rate(90 minutes)', 'UTC');
    const made = minute('2026-06-01T12:07:00Z');
    const due = Array.from({ length: 200 }, (_, after) => after).filter((after) => isDue(made + after, made));
    expect(due).toEqual([0, 90, 180]);
    expect(isDue(made - 90, made)).toBe(false);
  });

  it('of cron counts steps from the first value of its field', () => {
    const days = scheduleExpression('cron(0 0 */10 * ? *)', 'UTC');
    const due = (day: number) => days.isDue(minute(`2026-06-${String(day).padStart(2, '0')}T00:00:00Z`), 0);
    expect(Array.from({ length: 30 }, (_, index) => index + 1).filter(due)).toEqual([1, 11, 21]);
  });

  it('is due in no minute that the clocks skip, and in no minute a second time', () => {
    const { isDue } = scheduleExpression('cron(30 2 * * ? *)', 'Europe/Berlin');
    const dueIn = (from: string, minutes: number) =>
      Array.from({ length: minutes }, (_, index) => minute(from) + index).filter((each) => isDue(each, 0)).length;
    expect(dueIn('2026-03-28T23:00:00Z', 6 * 60)).toBe(0);
    expect(dueIn('2026-10-24T22:00:00Z', 6 * 60)).toBe(1);
  });
});
