import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MESSAGE_SUBJECT, MESSAGE_TEMPLATE } from '../../functions/domain/alert-message.ts';
import { ruleGroupsOf } from '../../functions/domain/alert-rules.ts';
import { TTL_SECONDS } from '../../functions/domain/timing.ts';
import { IamAuthorizer } from '../../lab/aws/iam/authorization.ts';
import { EXAMPLE_FILE, exampleConfiguration } from '../../lib/alertmanager-configuration.ts';
import { Alerts } from '../../lib/alerts.ts';
import type { ControlPlaneContext } from '../../lib/control-plane-context.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { AuditTable, LeaseTable, LockTable } from '../../lib/tables.ts';
import { actionsOf, listOf, mentions, type Statement, statementsOf } from './policies.ts';
import { emptyStack, functionAt, logicalId, ofType, propertiesOf, stack } from './synthesized.ts';

const { configuration, configurationFile } = await loadConfiguration('lab/holdfast.config.ts');

const topic = logicalId(stack.node.findChild('Alerts').node.findChild('Topic') as never);
const workspace = ofType('AWS::APS::Workspace')[0]?.[0] ?? '';
const statements = ofType('AWS::SNS::TopicPolicy')
  .filter(([, { Properties }]) => mentions(Properties.Topics, `"${topic}"`))
  .flatMap(([, { Properties }]) => statementsOf(Properties.PolicyDocument));
const allowed = statements.filter(({ Effect }) => Effect === 'Allow');

const ACCOUNT = '111122223333';
const TOPIC_ARN = `arn:aws:sns:eu-west-1:${ACCOUNT}:Holdfast-Alerts`;
const WORKSPACE = `arn:aws:aps:eu-west-1:${ACCOUNT}:workspace/ws-1`;
const user = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const fromWorkspace = (arn: string) => ({ 'aws:SourceArn': arn, 'aws:SourceAccount': ACCOUNT });

/** The same construct in a stack of its own, with a workspace that was there before. */
function withWorkspace(workspaceArn: string, alertmanagerPrincipals = configuration.alertmanagerPrincipals): Template {
  const own = emptyStack();
  const tables = {
    leases: new LeaseTable(own, 'Leases'),
    locks: new LockTable(own, 'Locks'),
    audit: new AuditTable(own, 'Audit'),
  };
  const context = {
    ...tables,
    configuration: { ...configuration, amp: { workspaceArn }, alertmanagerPrincipals },
    configurationFile,
  };
  // The rest of what functions are wired with is nothing to it.
  new Alerts(own, 'Alerts', context as unknown as ControlPlaneContext, { pageOn: () => {} });
  return Template.fromStack(own);
}

describe('the topic of alerts', () => {
  it('takes messages of our workspace of AMP and of the configured Alertmanagers, and of nobody else', () => {
    expect(allowed.map(({ Principal }) => Principal)).toEqual([
      { AWS: 'arn:aws:iam::111122223333:user/lab-alertmanager' },
      { Service: 'aps.amazonaws.com' },
    ]);
    for (const statement of allowed) {
      expect(actionsOf(statement)).toEqual(['sns:GetTopicAttributes', 'sns:Publish']);
      expect(statement.Resource).toEqual({ Ref: topic });
    }
    expect((allowed[1] as Statement).Condition).toEqual({
      ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [workspace, 'Arn'] } },
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    });
  });

  it('takes none without TLS', () => {
    const denied = statements.filter(({ Effect, Condition }) => Effect === 'Deny' && mentions(Condition, 'Transport'));
    expect(denied).toMatchObject([{ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }]);
  });

  it.each([
    ['a listed Alertmanager', { identityArn: user('lab-alertmanager') }, true],
    ['a session of a role that is not listed', { identityArn: `arn:aws:iam::${ACCOUNT}:role/admin` }, false],
    ['a user of the account', { identityArn: user('dev') }, false],
    ['our workspace', { identityArn: 'aps.amazonaws.com', context: fromWorkspace(WORKSPACE) }, true],
    ['another workspace', { identityArn: 'aps.amazonaws.com', context: fromWorkspace(`${WORKSPACE}2`) }, false],
    ['another service', { identityArn: 'events.amazonaws.com', context: fromWorkspace(WORKSPACE) }, false],
  ])('decides by IAM about %s, whatever its own policies allow: %j', async (_who, who, isAllowed) => {
    const denied: string[] = [];
    const authorizer = new IamAuthorizer(ACCOUNT, 'eu-west-1', ({ arn }) => denied.push(arn));
    const isService = !who.identityArn.startsWith('arn:');
    const everything = { Effect: 'Allow', Action: 'sns:*', Resource: '*' };
    const principal = {
      ...{ arn: who.identityArn, name: 'x', context: {}, ...who },
      policies: isService ? [] : [{ name: 'all', document: { Version: '2012-10-17', Statement: [everything] } }],
    };
    const resourcePolicy = JSON.parse(
      JSON.stringify({ Version: '2012-10-17', Statement: statements })
        .replaceAll(JSON.stringify({ Ref: topic }), `"${TOPIC_ARN}"`)
        .replaceAll(JSON.stringify({ 'Fn::GetAtt': [workspace, 'Arn'] }), `"${WORKSPACE}"`)
        .replaceAll(JSON.stringify({ Ref: 'AWS::AccountId' }), `"${ACCOUNT}"`),
    );
    const publish = authorizer.require(principal, [{ action: 'sns:Publish', resource: TOPIC_ARN, resourcePolicy }]);
    await publish.catch(() => undefined);
    expect(denied).toEqual(isAllowed ? [] : [who.identityArn]);
  });

  it('is published to by nobody but AWS where no Alertmanager is configured', () => {
    const own = withWorkspace('arn:aws:aps:eu-west-1:111122223333:workspace/ws-1', []);
    const [policy] = Object.values(own.findResources('AWS::SNS::TopicPolicy'));
    const denied = statementsOf(policy?.Properties.PolicyDocument).filter(({ Effect }) => Effect === 'Deny');
    expect(denied.map(({ Condition }) => Condition)).toContainEqual({
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    });
  });

  it('is heard by the receiver, and what could not be delivered is kept and pages', () => {
    const [subscription, ...others] = ofType('AWS::SNS::Subscription').filter(([, { Properties }]) =>
      mentions(Properties.TopicArn, `"${topic}"`),
    );
    expect(others).toEqual([]);
    const receiver = functionAt('rollback/on-alert.lambda.ts');
    const queue = ofType('AWS::SQS::Queue').find(([id]) =>
      mentions(subscription?.[1].Properties.RedrivePolicy, `"${id}"`),
    );
    expect(subscription?.[1].Properties).toMatchObject({
      Protocol: 'lambda',
      Endpoint: { 'Fn::GetAtt': [logicalId(receiver), 'Arn'] },
    });
    expect(queue).toBeDefined();
    const alarms = ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
    const about = (metric: string) => alarms.filter(({ MetricName }) => MetricName === metric);
    expect(about('NumberOfMessagesSent').filter((each) => mentions(each, String(queue?.[0])))).toHaveLength(1);
    expect(about('alertMessagesRefused')).toMatchObject([
      { Namespace: 'Holdfast', Dimensions: [{ Name: 'service', Value: 'holdfast' }], TreatMissingData: 'notBreaching' },
    ]);
    expect(propertiesOf(receiver).Environment).toMatchObject({ Variables: { HOLDFAST_ALERT_TOPIC: { Ref: topic } } });
  });

  it('drops an alert that waited for longer than a fault can live', () => {
    const receiver = logicalId(functionAt('rollback/on-alert.lambda.ts'));
    const asynchronous = ofType('AWS::Lambda::EventInvokeConfig').find(([, { Properties }]) =>
      mentions(Properties, receiver),
    );
    expect(asynchronous?.[1].Properties).toMatchObject({ MaximumEventAgeInSeconds: TTL_SECONDS.max });
  });
});

describe('the example for an Alertmanager of one’s own', () => {
  it('is what the workspace of AMP gets', () => {
    expect(readFileSync(EXAMPLE_FILE, 'utf8')).toBe(exampleConfiguration());
  });
});

describe('the workspace of AMP', () => {
  const definition = (template: unknown): string => {
    const joined = template as { 'Fn::Join': [string, unknown[]] };
    return joined['Fn::Join'][1]
      .map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', "'")))
      .join('');
  };

  it('gets the rules of every configured cluster', () => {
    const [rules, ...others] = ofType('AWS::APS::RuleGroupsNamespace').map(([, { Properties }]) => Properties);
    expect(others).toEqual([]);
    expect(rules?.Workspace).toEqual({ 'Fn::GetAtt': [workspace, 'Arn'] });
    expect(parse(String(rules?.Data))).toEqual({ groups: ruleGroupsOf(configuration.clusters) });
  });

  it('sends each alert to the topic at once, and again each minute', () => {
    const text = definition(ofType('AWS::APS::Workspace')[0]?.[1].Properties.AlertManagerDefinition);
    const { alertmanager_config: inner } = parse(text);
    expect(parse(inner)).toEqual({
      route: {
        ...{ receiver: 'holdfast', group_by: ['cluster', 'alertname', 'severity'] },
        ...{ group_wait: '2s', group_interval: '5s', repeat_interval: '1m' },
      },
      receivers: [
        {
          name: 'holdfast',
          sns_configs: [
            {
              ...{ topic_arn: { Ref: topic }, sigv4: { region: { Ref: 'AWS::Region' } } },
              ...{ subject: MESSAGE_SUBJECT, message: MESSAGE_TEMPLATE },
            },
          ],
        },
      ],
    });
  });

  it('outlives the stack', () => {
    expect(ofType('AWS::APS::Workspace')[0]?.[1]).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate' });
  });

  it('keeps its own definition where it was there before, and gets the rules', () => {
    const workspaceArn = 'arn:aws:aps:eu-west-1:111122223333:workspace/ws-1';
    const other = withWorkspace(workspaceArn);
    other.resourceCountIs('AWS::APS::Workspace', 0);
    other.hasResourceProperties('AWS::APS::RuleGroupsNamespace', { Workspace: workspaceArn });
    const policies = Object.values(other.findResources('AWS::SNS::TopicPolicy'));
    const conditions = policies.flatMap((policy) => listOf(policy.Properties.PolicyDocument.Statement));
    expect(JSON.stringify(conditions)).toContain(`{"aws:SourceArn":"${workspaceArn}"}`);
  });
});
