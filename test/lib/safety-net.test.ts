import { describe, expect, it } from 'vitest';
import { BROKEN_AUDIT_LOGS, GUARD_HEARTBEAT } from '../../functions/domain/names.ts';
import { TTL_SECONDS } from '../../functions/domain/timing.ts';
import { listOf, mentions, statementsOf } from './policies.ts';
import { functionAt, logicalId, ofType, stack } from './synthesized.ts';

const MACHINE = logicalId(stack.node.findChild('Workflow').node.findChild('Experiment'));
const TOPIC = ofType('AWS::SNS::Topic').find(([id]) => id.startsWith('TopicsCRITICAL'))?.[0] ?? '';

/** As CloudFormation has them; the template is JSON. */
interface RuleProperties {
  EventPattern?: Record<string, unknown>;
  Targets: { Arn: unknown }[];
}
const rules = ofType('AWS::Events::Rule').map(([, { Properties }]) => Properties as unknown as RuleProperties);

describe('safety net', () => {
  it('hears of every execution that died, rolls it back and tells the operators', () => {
    const died = rules.find(({ EventPattern }) => mentions(EventPattern?.source ?? '', 'aws.states'));
    expect(died?.EventPattern).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [{ Ref: MACHINE }] },
    });
    const onExecutionEnd = logicalId(functionAt('rollback/on-execution-end.lambda.ts'));
    expect(died?.Targets.map(({ Arn }) => Arn)).toEqual([{ 'Fn::GetAtt': [onExecutionEnd, 'Arn'] }, { Ref: TOPIC }]);
  });

  it('hears of every FIS experiment that ends before its time, for as long as a fault may live', () => {
    const [rule, ...others] = rules.filter(({ EventPattern }) => mentions(EventPattern?.source ?? '', 'aws.fis'));
    expect(others).toEqual([]);
    expect(rule?.EventPattern).toEqual({
      source: ['aws.fis'],
      'detail-type': ['FIS Experiment State Change'],
      detail: { 'new-state': { status: ['stopping', 'stopped', 'failed'] } },
    });
    const onFisEnd = logicalId(functionAt('rollback/on-fis-end.lambda.ts'));
    expect(rule?.Targets).toMatchObject([
      {
        Arn: { 'Fn::GetAtt': [onFisEnd, 'Arn'] },
        RetryPolicy: { MaximumEventAgeInSeconds: TTL_SECONDS.max, MaximumRetryAttempts: 10 },
      },
    ]);
  });

  it.each([
    ['rollback/on-alarm.lambda.ts', TTL_SECONDS.max],
    ['rollback/on-fis-end.lambda.ts', TTL_SECONDS.max],
    ['rollback/on-alert.lambda.ts', TTL_SECONDS.max],
    ['rollback/on-execution-end.lambda.ts', 3600],
  ])('gives an event for %s up after %s s, keeps it in a queue, and pages', (entryPoint, seconds) => {
    const own = ofType('AWS::Lambda::EventInvokeConfig').filter(([, { Properties }]) =>
      mentions(Properties.FunctionName, logicalId(functionAt(entryPoint))),
    );
    const queue = ofType('AWS::SQS::Queue').find(([id]) => mentions(own[0]?.[1].Properties ?? {}, `"${id}"`))?.[0];
    expect(own.map(([, { Properties }]) => Properties)).toMatchObject([
      {
        MaximumEventAgeInSeconds: seconds,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
      },
    ]);
    const alarms = ofType('AWS::CloudWatch::Alarm').filter(([, { Properties }]) => mentions(Properties, `"${queue}"`));
    expect(alarms).toMatchObject([
      [expect.anything(), { Properties: { MetricName: 'NumberOfMessagesSent', AlarmActions: [{ Ref: TOPIC }] } }],
    ]);
  });

  it('pages in words, and past the function that tells people, when a rollback failed', () => {
    const pages = rules.filter(
      ({ EventPattern }) =>
        mentions(EventPattern ?? '', 'ROLLBACK_FAILED') && !mentions(EventPattern ?? '', 'INJECTED'),
    );
    expect(pages).toHaveLength(2);
    for (const { Targets } of pages) {
      expect(Targets).toMatchObject([{ Arn: { Ref: TOPIC }, InputTransformer: { InputTemplate: expect.any(String) } }]);
      expect(JSON.stringify(Targets)).toContain('holdfast status');
    }
  });

  it('pages the operators when a part of the rollback fails, or an execution does', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties)
      // In ALARM whenever nobody watches: they page nobody, and have a test of their own.
      .filter((each) => !mentions(each, GUARD_HEARTBEAT.metricName))
      // Of queues: what could not start anything, and alerts that were not delivered; they have tests of their own.
      .filter((each) => each.Namespace !== 'AWS/SQS')
      // Of the log: test/lib/audit-care.test.ts.
      .filter((each) => !mentions(each, BROKEN_AUDIT_LOGS.metricName) && !mentions(each.Dimensions, 'AuditCare'));
    const watched = (metric: string, id: string) =>
      alarms.filter((each) => each.MetricName === metric && mentions(each.Dimensions, id));
    const rollback = [
      'rollback/sweep.lambda.ts',
      'rollback/roll-back.lambda.ts',
      'verdict/conclude-experiment.lambda.ts',
      'rollback/on-execution-end.lambda.ts',
      'rollback/on-alarm.lambda.ts',
      'rollback/on-alert.lambda.ts',
      'rollback/on-fis-end.lambda.ts',
      // Whoever is not told cannot look.
      'notify/notify.lambda.ts',
    ];
    for (const entryPoint of rollback) expect(watched('Errors', logicalId(functionAt(entryPoint)))).toHaveLength(1);
    for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut']) expect(watched(metric, MACHINE)).toHaveLength(1);
    // Beside these two: alerts that were refused.
    expect(alarms).toHaveLength(rollback.length + 2 + 1);
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({ AlarmActions: [{ Ref: TOPIC }], Threshold: 1, Statistic: 'Sum' });
      expect(alarm.ComparisonOperator).toBe('GreaterThanOrEqualToThreshold');
    }
  });

  it('lets CloudWatch and EventBridge publish to the operators, each from this account only where it can say so', () => {
    const statements = ofType('AWS::SNS::TopicPolicy').flatMap(([, { Properties }]) =>
      statementsOf(Properties.PolicyDocument),
    );
    const byCloudWatch = statements.filter(({ Principal }) => mentions(Principal, 'cloudwatch.amazonaws.com'));
    expect(byCloudWatch.flatMap(({ Action }) => listOf(Action))).toEqual(['sns:Publish']);
    expect(byCloudWatch[0]?.Condition).toMatchObject({
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    });
    expect(statements.some(({ Principal }) => mentions(Principal, 'events.amazonaws.com'))).toBe(true);
  });
});
