import { describe, expect, it } from 'vitest';
import { scheduleEventSchema } from '../../functions/domain/schedules.ts';
import { SCHEDULE_EVENT_AGE_SECONDS, SCHEDULE_RETRIES } from '../../functions/domain/timing.ts';
import labConfiguration from '../../lab/holdfast.config.ts';
import { actionsOf, listOf, mentions, statementsFor, statementsOf } from './policies.ts';
import { functionAt, logicalId, ofType, resources, template } from './synthesized.ts';

const RUN = logicalId(functionAt('schedule/run-schedule.lambda.ts'));
const START = logicalId(functionAt('api/start-experiment.lambda.ts'));
const configured = labConfiguration.schedules ?? {};
const schedules = ofType('AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties);
const QUEUE = ofType('AWS::SQS::Queue').find(([id]) => id.startsWith('SchedulesUndelivered'))?.[0] ?? '';
const TOPIC = ofType('AWS::SNS::Topic').find(([id]) => id.startsWith('TopicsCRITICAL'))?.[0] ?? '';

describe('schedules', () => {
  it('are those of the configuration, each when it says and at no other time', () => {
    expect(schedules.map(({ Name }) => Name).sort()).toEqual(Object.keys(configured).sort());
    expect(schedules.length).toBeGreaterThan(1);
    for (const { Name, ...schedule } of schedules) {
      const { expression, timeZone = 'UTC', enabled = true } = configured[String(Name)] ?? {};
      expect(schedule).toMatchObject({
        ScheduleExpression: expression,
        ScheduleExpressionTimezone: timeZone,
        State: enabled ? 'ENABLED' : 'DISABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
      });
    }
  });

  it('call one function with their name and the time that was due, and never the state machine', () => {
    for (const { Name, Target } of schedules as { Name: string; Target: { Arn: unknown; Input: string } }[]) {
      expect(Target.Arn).toEqual({ 'Fn::GetAtt': [RUN, 'Arn'] });
      const event = JSON.parse(Target.Input.replace('<aws.scheduler.scheduled-time>', '2026-06-02T08:00:00Z'));
      expect(scheduleEventSchema.parse(event)).toEqual({ schedule: Name, scheduledAt: '2026-06-02T08:00:00Z' });
    }
    const invoking = statementsFor(functionAt('schedule/run-schedule.lambda.ts')).filter((statement) =>
      actionsOf(statement).some((action) => /^(lambda|states):/.test(action)),
    );
    expect(invoking.map((statement) => [actionsOf(statement), listOf(statement.Resource)])).toEqual([
      [['lambda:InvokeFunction'], [{ 'Fn::GetAtt': [START, 'Arn'] }]],
    ]);
  });

  it('are tried again for minutes, not for a day, by Scheduler and by Lambda, and then lie in a queue that pages', () => {
    for (const { Target } of schedules)
      expect(Target).toMatchObject({
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [QUEUE, 'Arn'] } },
        RetryPolicy: {
          MaximumEventAgeInSeconds: SCHEDULE_EVENT_AGE_SECONDS,
          MaximumRetryAttempts: SCHEDULE_RETRIES,
        },
      });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: RUN },
      MaximumEventAgeInSeconds: SCHEDULE_EVENT_AGE_SECONDS,
      MaximumRetryAttempts: SCHEDULE_RETRIES,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [QUEUE, 'Arn'] } } },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      ...{ Namespace: 'AWS/SQS', MetricName: 'NumberOfMessagesSent', Period: 60, Threshold: 1 },
      ...{ Statistic: 'Sum', AlarmActions: [{ Ref: TOPIC }], TreatMissingData: 'notBreaching' },
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [QUEUE, 'QueueName'] } }],
    });
  });

  it('run in a role that only Scheduler can take, for this group of schedules, and that can do no more than deliver', () => {
    const [roleArn, ...others] = [
      ...new Set(schedules.map(({ Target }) => JSON.stringify((Target as { RoleArn: unknown }).RoleArn))),
    ];
    expect(others).toEqual([]);
    const [group] = ofType('AWS::Scheduler::ScheduleGroup').map(([id]) => id);
    const { 'Fn::GetAtt': [roleId = ''] = [] } = JSON.parse(roleArn ?? '{}') as { 'Fn::GetAtt'?: string[] };
    expect(statementsOf(resources[roleId]?.Properties.AssumeRolePolicyDocument)).toEqual([
      {
        ...{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'scheduler.amazonaws.com' } },
        Condition: {
          StringEquals: {
            'aws:SourceAccount': { Ref: 'AWS::AccountId' },
            'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] },
          },
        },
      },
    ]);
    const policies = ofType('AWS::IAM::Policy').filter(([, { Properties }]) => mentions(Properties.Roles, roleId));
    const allowed = policies.flatMap(([, { Properties }]) => statementsOf(Properties.PolicyDocument));
    expect(allowed.map((statement) => [actionsOf(statement), statement.Resource])).toEqual([
      [['lambda:InvokeFunction'], { 'Fn::GetAtt': [RUN, 'Arn'] }],
      [['sqs:SendMessage'], { 'Fn::GetAtt': [QUEUE, 'Arn'] }],
    ]);
  });
});
