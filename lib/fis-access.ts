import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TERMINATE_INSTANCES } from '../functions/domain/faults/instance-terminate.ts';
import { ENVIRONMENT, GUARD_HEARTBEAT, heartbeatDimensions, STACK_TAG } from '../functions/domain/names.ts';
import { HEARTBEAT_EMPTY_PERIODS, HEARTBEAT_PERIOD_SECONDS } from '../functions/domain/timing.ts';
import type { Configuration } from '../functions/engines/configuration.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { allow, type Capability, describeAlarms, describeInstances } from './capability.ts';
import { FisRole, startEncrypted, startInstances } from './fis-role.ts';

/** What the kinds in `functions/domain/faults/` use. */
const ACTIONS = [
  'aws:ec2:stop-instances',
  'aws:ec2:reboot-instances',
  TERMINATE_INSTANCES,
  'aws:ebs:pause-volume-io',
  'aws:ebs:volume-io-latency',
  'aws:network:disrupt-connectivity',
];

/**
 * What the faults in AWS FIS need: the role FIS takes, and an alarm for each cluster over the guard's heartbeat, because
 * FIS does not read the lease. The alarms are in ALARM while nobody watches, which is most of the time: they have no
 * actions and page nobody.
 */
export class FisAccess extends Construct {
  private readonly role: FisRole;
  private readonly alarmPrefix: string;
  /** What everything of ours in FIS carries: nobody else's, nor another stack's, can be read, stopped or deleted. */
  private readonly own: Record<'made' | 'asked', Record<string, unknown>>;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.own = {
      made: { StringEquals: { [`aws:ResourceTag/${STACK_TAG}`]: stackName } },
      asked: { StringEquals: { [`aws:RequestTag/${STACK_TAG}`]: stackName } },
    };
    this.role = new FisRole(this, 'Role', configuration);
    this.alarmPrefix = `Holdfast-${stackName}-guard-heartbeat-`;
    for (const cluster of Object.keys(configuration.clusters)) this.addHeartbeatAlarm(cluster);
  }

  /** Say that the guard watches. */
  heartbeat(): Capability {
    const { namespace } = GUARD_HEARTBEAT;
    const conditions = { StringEquals: { 'cloudwatch:namespace': namespace } };
    return {
      statements: [new PolicyStatement({ actions: ['cloudwatch:PutMetricData'], resources: ['*'], conditions })],
      environment: this.stackName(),
    };
  }

  /** How many experiments are active in the account, and which instance types have instance store. */
  look(): Capability {
    return allow(['fis:ListExperiments', 'ec2:DescribeInstanceTypes'], ['*']);
  }

  /** Who else stands in the subnets of the targets. */
  lookAround(): Capability {
    return allow(['ec2:DescribeNetworkInterfaces'], ['*']);
  }

  /** Make and start an experiment, and stop it again; find the one whose start was not answered. */
  inject(): Capability {
    const { made, asked } = this.own;
    const actions = ACTIONS.map((action) => this.arn('action', action));
    const [templates, experiments] = [this.arn('experiment-template', '*'), this.arn('experiment', '*')];
    return {
      statements: [
        on(['fis:CreateExperimentTemplate'], [...actions, templates], asked),
        on(['fis:StartExperiment', 'fis:TagResource'], [experiments], asked),
        on(['fis:TagResource'], [templates], asked),
        on(['fis:StartExperiment'], [templates], made),
        ...this.end(),
        ...this.list().statements,
        on(['iam:PassRole'], [this.role.roleArn], { StringEquals: { 'iam:PassedToService': 'fis.amazonaws.com' } }),
        this.createServiceLinkedRole(),
        ...describeAlarms().statements,
      ],
      environment: {
        ...this.stackName(),
        [ENVIRONMENT.fisRoleArn]: this.role.roleArn,
        [ENVIRONMENT.heartbeatAlarmPrefix]: this.alarmPrefix,
      },
    };
  }

  /** Engage and disengage the one safety lever of the account and Region. */
  safetyLever(): Capability {
    const lever = Stack.of(this).formatArn({
      service: 'fis',
      resource: 'safety-lever',
      resourceName: 'default',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    return allow(['fis:GetSafetyLever', 'fis:UpdateSafetyLeverState'], [lever], this.stackName());
  }

  /** Read what is ours. */
  recognize(): Capability {
    return {
      statements: [on(['fis:GetExperiment'], [this.arn('experiment', '*')], this.own.made)],
      environment: this.stackName(),
    };
  }

  /** Find what is ours in FIS, end it, delete its template, start instances that are still stopped. */
  rollBack(): Capability {
    return {
      statements: [
        ...this.list().statements,
        ...allow(['ec2:DescribeNetworkAcls'], ['*']).statements,
        ...this.end(),
        ...describeInstances().statements,
        startInstances(Stack.of(this)),
        startEncrypted(Stack.of(this)),
      ],
      environment: this.stackName(),
    };
  }

  private list(): Capability {
    return allow(['fis:ListExperiments', 'fis:ListExperimentTemplates'], ['*']);
  }

  private stackName(): Record<string, string> {
    return { [ENVIRONMENT.stackName]: Stack.of(this).stackName };
  }

  private end(): PolicyStatement[] {
    return [
      on(['fis:GetExperiment', 'fis:StopExperiment'], [this.arn('experiment', '*')], this.own.made),
      on(['fis:DeleteExperimentTemplate'], [this.arn('experiment-template', '*')], this.own.made),
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
      acknowledgeWildcard(Stack.of(this), arn, `Made at run time: only with this stack's tag ${STACK_TAG}.`);
    return arn;
  }

  /**
   * Adds up heartbeats; where there are none it counts zero, and so does the one that deployment puts. Without that, CloudWatch would look further back for real
   * data before it takes missing for breaching, and how far it does not say.
   */
  private addHeartbeatAlarm(cluster: string): void {
    const period = Duration.seconds(HEARTBEAT_PERIOD_SECONDS);
    const beats = new Metric({
      namespace: GUARD_HEARTBEAT.namespace,
      metricName: GUARD_HEARTBEAT.metricName,
      dimensionsMap: heartbeatDimensions(Stack.of(this).stackName, cluster),
      statistic: Stats.SUM,
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

function on(actions: string[], resources: string[], conditions: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ actions, resources, conditions });
}
