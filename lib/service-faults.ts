import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Configuration } from '../functions/experiment/configuration.ts';
import {
  GUARD_HEARTBEAT,
  HEARTBEAT_EMPTY_PERIODS,
  HEARTBEAT_PERIOD_SECONDS,
} from '../functions/experiment/guard-heartbeat.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { allow, type Capability, describeAlarms, describeInstances } from './capability.ts';
import { FisRole, startEncrypted } from './fis-role.ts';

/** The tag that everything of ours in FIS carries: nobody else's experiment can be read, stopped or deleted. */
const OWN_TAG = 'holdfast-experiment';
/** What the kinds in `functions/experiment/kinds/` use. */
const ACTIONS = [
  'aws:ec2:stop-instances',
  'aws:ec2:reboot-instances',
  'aws:ebs:pause-volume-io',
  'aws:ebs:volume-io-latency',
  'aws:network:disrupt-connectivity',
];

/**
 * What the faults in AWS FIS need: the role FIS takes, and an alarm for each cluster over the guard's heartbeat, because
 * FIS does not read the lease. The alarms are in ALARM while nobody watches, which is most of the time: they have no
 * actions and page nobody.
 */
export class ServiceFaults extends Construct {
  private readonly role: FisRole;
  private readonly alarmPrefix: string;
  private readonly targetTag: Configuration['targetTag'];

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    this.targetTag = configuration.targetTag;
    this.role = new FisRole(this, 'Role', configuration);
    this.alarmPrefix = `Holdfast-${Stack.of(this).stackName}-guard-heartbeat-`;
    for (const cluster of Object.keys(configuration.clusters)) this.addHeartbeatAlarm(cluster);
  }

  /** Say that the guard watches. */
  heartbeat(): Capability {
    const { namespace } = GUARD_HEARTBEAT;
    const conditions = { StringEquals: { 'cloudwatch:namespace': namespace } };
    return {
      statements: [new PolicyStatement({ actions: ['cloudwatch:PutMetricData'], resources: ['*'], conditions })],
    };
  }

  /** How many experiments are active in the account, and which instance types have instance store. */
  look(): Capability {
    return allow(['fis:ListExperiments', 'ec2:DescribeInstanceTypes'], ['*']);
  }

  /** Make and start an experiment, and stop it again. */
  inject(): Capability {
    const tagging = { Null: { [`aws:RequestTag/${OWN_TAG}`]: 'false' } };
    const actions = ACTIONS.map((action) => this.arn('action', action));
    const [templates, experiments] = [this.arn('experiment-template', '*'), this.arn('experiment', '*')];
    return {
      statements: [
        on(['fis:CreateExperimentTemplate'], [...actions, templates], tagging),
        on(['fis:StartExperiment', 'fis:TagResource'], [experiments], tagging),
        on(['fis:TagResource'], [templates], tagging),
        on(['fis:StartExperiment'], [templates], OWN),
        ...this.end(),
        on(['iam:PassRole'], [this.role.roleArn], { StringEquals: { 'iam:PassedToService': 'fis.amazonaws.com' } }),
        this.createServiceLinkedRole(),
        ...describeAlarms().statements,
      ],
      environment: { HOLDFAST_FIS_ROLE_ARN: this.role.roleArn, HOLDFAST_HEARTBEAT_ALARM_PREFIX: this.alarmPrefix },
    };
  }

  /** Find what is ours in FIS, end it, delete its template, start instances that are still stopped. */
  rollBack(): Capability {
    const instances = Stack.of(this).formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
    const tagged = { StringEquals: { [`aws:ResourceTag/${this.targetTag.key}`]: this.targetTag.value } };
    return {
      statements: [
        ...allow(['fis:ListExperiments', 'fis:ListExperimentTemplates', 'ec2:DescribeNetworkAcls'], ['*']).statements,
        ...this.end(),
        ...describeInstances().statements,
        on(['ec2:StartInstances'], [instances], tagged),
        startEncrypted(Stack.of(this)),
      ],
    };
  }

  private end(): PolicyStatement[] {
    return [
      on(['fis:GetExperiment', 'fis:StopExperiment'], [this.arn('experiment', '*')], OWN),
      on(['fis:DeleteExperimentTemplate'], [this.arn('experiment-template', '*')], OWN),
    ];
  }

  /** FIS makes its own role at the first experiment of an account, with the rights of who starts that. */
  private createServiceLinkedRole(): PolicyStatement {
    const role = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: 'aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS',
    });
    return on(['iam:CreateServiceLinkedRole'], [role], { StringEquals: { 'iam:AWSServiceName': 'fis.amazonaws.com' } });
  }

  private arn(resource: string, resourceName: string): string {
    const arn = Stack.of(this).formatArn({
      service: 'fis',
      resource,
      resourceName,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    if (resourceName === '*')
      acknowledgeWildcard(Stack.of(this), arn, `Made at run time: only with the tag ${OWN_TAG}.`);
    return arn;
  }

  /**
   * Counts heartbeats; where there are none it counts zero. Without that, CloudWatch would look further back for real
   * data before it takes missing for breaching, and how far it does not say.
   */
  private addHeartbeatAlarm(cluster: string): void {
    const period = Duration.seconds(HEARTBEAT_PERIOD_SECONDS);
    const beats = new Metric({
      namespace: GUARD_HEARTBEAT.namespace,
      metricName: GUARD_HEARTBEAT.metricName,
      dimensionsMap: { [GUARD_HEARTBEAT.dimension]: cluster },
      statistic: Stats.SAMPLE_COUNT,
      period,
    });
    new Alarm(this, `Heartbeat-${cluster}`, {
      alarmName: `${this.alarmPrefix}${cluster}`,
      alarmDescription: `Holdfast: stops experiments in FIS when nobody watches ${cluster}; ALARM while none runs.`,
      metric: new MathExpression({ expression: 'FILL(beats, 0)', usingMetrics: { beats }, period }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: HEARTBEAT_EMPTY_PERIODS,
      treatMissingData: TreatMissingData.BREACHING,
      actionsEnabled: false,
    });
  }
}

const OWN = { Null: { [`aws:ResourceTag/${OWN_TAG}`]: 'false' } };

function on(actions: string[], resources: string[], conditions: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ actions, resources, conditions });
}
