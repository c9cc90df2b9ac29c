import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { app, ofType, stack, template } from './synthesized.ts';

describe('synthesis', () => {
  it('has no finding of cdk-nag that is not answered with a reason', () => {
    const report = new AwsSolutionsChecks(app).validateScope(stack);
    const findings = report.violations.map(({ ruleName, violatingResources }) => ({
      ruleName,
      at: violatingResources.map(({ constructPath }) => constructPath),
    }));
    expect(findings).toEqual([]);
  });

  it('would be told of a wildcard that nobody answered for', () => {
    const careless = new Stack(new App(), 'Careless');
    const role = new Role(careless, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['ssm:SendCommand'], resources: ['*'] }));
    const report = new AwsSolutionsChecks(careless).validateScope(careless);
    expect(report.violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-IAM5[Resource::*]']);
    expect(report.success).toBe(false);
  });

  it('gives neither warnings nor errors', () => {
    const annotations = Annotations.fromStack(stack);
    expect(annotations.findWarning('*', Match.anyValue())).toEqual([]);
    expect(annotations.findError('*', Match.anyValue())).toEqual([]);
  });

  it('names what an operator needs', () => {
    expect(Object.keys(template.toJSON().Outputs)).toEqual(
      expect.arrayContaining(['ApiUrl', 'HostPolicyArn', 'OperatorsTopicArn', 'WarningTopicArn', 'InfoTopicArn']),
    );
  });
});

describe('safety net', () => {
  it('hears the configured alarms, and no other', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { alarmName: ['checkout-availability', 'orders late / "eu-west-1"'], state: { value: ['ALARM'] } },
      },
    });
  });

  it('sweeps every minute and pages when a rollback failed, over TLS only', () => {
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['holdfast'], 'detail-type': ['Experiment ROLLBACK_FAILED'] },
      Targets: [{ Arn: { Ref: Match.stringLikeRegexp('^TopicsCRITICAL') } }],
    });
    const policies = JSON.stringify(ofType('AWS::SNS::TopicPolicy'));
    expect(policies).toContain('"Effect":"Deny"');
    expect(policies).toContain('{"Bool":{"aws:SecureTransport":"false"}}');
  });
});
