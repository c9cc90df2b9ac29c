import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnRuleGroupsNamespace, CfnWorkspace } from 'aws-cdk-lib/aws-aps';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { stringify } from 'yaml';
import { ruleGroupsOf } from '../functions/domain/alert-rules.ts';
import { METRICS_NAMESPACE, REFUSED_ALERTS, SERVICE_NAME } from '../functions/domain/metrics.ts';
import { ENVIRONMENT } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS, TTL_SECONDS } from '../functions/domain/timing.ts';
import { alertManagerDefinition } from './alertmanager-configuration.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { OperatorAlarms } from './operator-alarms.ts';
import { UndeliveredQueue } from './undelivered-queue.ts';

/** Alerts of Prometheus that end experiments: a topic for AMP and for Alertmanagers of the team's own, and who hears it. */
export class Alerts extends Construct {
  readonly topic: Topic;
  /** Of a workspace that was created. */
  remoteWriteUrl: string | undefined;

  constructor(scope: Construct, id: string, context: ControlPlaneContext, alarms: Pick<OperatorAlarms, 'pageOn'>) {
    super(scope, id);
    const { amp, alertmanagerPrincipals, clusters } = context.configuration;
    this.topic = new Topic(this, 'Topic', { displayName: 'Holdfast alerts', enforceSSL: true });
    for (const principal of alertmanagerPrincipals) {
      this.#maySend(new PolicyStatement({ principals: [new ArnPrincipal(principal)] }));
    }
    if (amp) {
      const workspaceArn = 'workspaceArn' in amp ? amp.workspaceArn : this.#createWorkspace();
      this.#maySend(
        new PolicyStatement({
          principals: [new ServicePrincipal('aps.amazonaws.com')],
          conditions: {
            ArnEquals: { 'aws:SourceArn': workspaceArn },
            StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          },
        }),
      );
      new CfnRuleGroupsNamespace(this, 'Rules', {
        name: `holdfast-${Stack.of(this).stackName}`,
        workspace: workspaceArn,
        data: stringify({ groups: ruleGroupsOf(clusters) }, { lineWidth: 0 }),
      });
    }
    this.#denyOthers(alertmanagerPrincipals);
    this.#addReceiver(context, alarms);
  }

  /**
   * Within the account a principal's own policies would suffice. AWS services have no such policies: of them whoever the topic
   * allows may publish.
   */
  #denyOthers(principals: readonly string[]): void {
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
          ...(principals.length === 0 ? {} : { ArnNotEquals: { 'aws:PrincipalArn': principals } }),
        },
      }),
    );
  }

  /** AMP asks for the attributes of a topic before it publishes. */
  #maySend(statement: PolicyStatement): void {
    statement.addActions('sns:Publish', 'sns:GetTopicAttributes');
    statement.addResources(this.topic.topicArn);
    this.topic.addToResourcePolicy(statement);
  }

  #createWorkspace(): string {
    const { region, stackName } = Stack.of(this);
    const workspace = new CfnWorkspace(this, 'Workspace', {
      alias: `holdfast-${stackName}`,
      alertManagerDefinition: alertManagerDefinition({ topicArn: this.topic.topicArn, region }),
    });
    // It holds everybody's series.
    workspace.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    this.remoteWriteUrl = `${workspace.attrPrometheusEndpoint}api/v1/remote_write`;
    return workspace.attrArn;
  }

  #addReceiver(context: ControlPlaneContext, alarms: Pick<OperatorAlarms, 'pageOn'>): void {
    const { configuration, configurationFile, leases, locks, audit } = context;
    // Both of SNS, which could not reach the function, and of Lambda, which kept the event and then gave it up.
    const undelivered = new UndeliveredQueue(this, 'Undelivered');
    const onAlert = new ControlFunction(this, 'OnAlert', {
      entry: 'rollback/on-alert.lambda.ts',
      description: 'Alerts fire: release the leases they concern.',
      configuration,
      configurationFile,
      capabilities: [
        leases.read(),
        leases.update(),
        locks.list(),
        audit.append(),
        { statements: [], environment: { [ENVIRONMENT.alertTopic]: this.topic.topicArn } },
      ],
      timeoutSeconds: FUNCTION_SECONDS.short,
      reservedConcurrency: 2,
      asyncRetryAttempts: 2,
      asyncMaxAgeSeconds: TTL_SECONDS.max,
      onFailure: new SqsDestination(undelivered),
    });
    this.topic.addSubscription(new LambdaSubscription(onAlert, { deadLetterQueue: undelivered }));
    const eachMinute = { period: Duration.minutes(1) };
    alarms.pageOn(
      'OnAlertErrors',
      onAlert.metricErrors({ ...eachMinute, statistic: Stats.SUM }),
      `${onAlert.entryPoint} failed.`,
    );
    alarms.pageOn('AlertsUndelivered', undelivered.metricGivenUp(), 'An alert was given up.');
    const refused = new Metric({
      ...eachMinute,
      namespace: METRICS_NAMESPACE,
      metricName: REFUSED_ALERTS,
      dimensionsMap: { service: SERVICE_NAME },
      statistic: Stats.SUM,
    });
    alarms.pageOn('AlertsRefused', refused, 'A message to the topic of alerts was none.');
  }
}
