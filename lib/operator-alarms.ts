import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ControlFunction } from './control-function.ts';

export interface OperatorAlarmsProps {
  operators: ITopic;
  stateMachine: StateMachine;
  /** Functions whose failure may leave a fault, a lease or a lock behind, whatever the audit log can still say. */
  afterFault: ControlFunction[];
  /** Tells people. */
  notify: ControlFunction;
}

const EACH_MINUTE = { period: Duration.minutes(1), statistic: Stats.SUM };

/**
 * Pages the operators when the rollback itself fails: one that dies cannot write the entry whose event would
 * page, so these look from outside.
 */
export class OperatorAlarms extends Construct {
  readonly #operators: ITopic;

  constructor(scope: Construct, id: string, { operators, stateMachine, afterFault, notify }: OperatorAlarmsProps) {
    super(scope, id);
    this.#operators = operators;
    for (const each of [...afterFault, notify]) {
      this.pageOn(`${each.node.id}Errors`, each.metricErrors(EACH_MINUTE), `${each.entryPoint} failed.`);
    }
    this.pageOn('ExecutionsFailed', stateMachine.metricFailed(EACH_MINUTE), 'An execution failed.');
    this.pageOn('ExecutionsTimedOut', stateMachine.metricTimedOut(EACH_MINUTE), 'An execution ran out of time.');
    // A topic with a policy of its own does not trust CloudWatch by itself.
    const { account } = Stack.of(this);
    const alarms = Stack.of(this).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: '*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    operators.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [operators.topicArn],
        conditions: { ArnLike: { 'aws:SourceArn': alarms }, StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  }

  /** A single occurrence in a minute pages. */
  pageOn(id: string, metric: IMetric, what: string): void {
    new Alarm(this, id, {
      metric,
      alarmDescription: `Holdfast: ${what} docs/runbook.md#${id.toLowerCase()}`,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.#operators));
  }
}
