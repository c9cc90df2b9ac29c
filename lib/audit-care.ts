import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { exportPrefix } from '../functions/domain/audit-export.ts';
import { BROKEN_AUDIT_LOGS, ENVIRONMENT } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { type Capability, putBrokenAuditLogs } from './capability.ts';
import { ControlFunction, type ControlFunctionProps } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

const DAILY = Schedule.rate(Duration.days(1));
/** A day and a half without a verification: one run has not come. */
const MISSING_PERIODS = 6;
const MISSING_PERIOD = Duration.hours(6);

function runbook(id: string): string {
  return `docs/runbook.md#${id.toLowerCase()}`;
}

/** Each day: every log is verified, and goes into a bucket where one is configured. */
export class AuditCare extends Construct {
  readonly #context: ControlPlaneContext;
  readonly #operators: ITopic;

  constructor(scope: Construct, id: string, context: ControlPlaneContext, operators: ITopic) {
    super(scope, id);
    this.#context = context;
    this.#operators = operators;
    const { audit, reservations, configuration } = context;
    this.#daily('VerifyAudit', {
      entry: 'audit/verify-audit.lambda.ts',
      description: 'Each day: the hash chain of every log since the last run.',
      capabilities: [audit.walk(), reservations.cursor('verified'), putBrokenAuditLogs(this)],
    });
    this.#watchVerification();
    const { auditExport } = configuration;
    if (!auditExport) return;
    this.#daily('ExportAudit', {
      entry: 'audit/export-audit.lambda.ts',
      description: 'Each day: the log of every experiment of the day, into a bucket.',
      capabilities: [audit.walk(), reservations.cursor('exported'), this.#putObjects(auditExport)],
      memoryMib: 1024,
    });
  }

  #daily(id: string, props: Pick<ControlFunctionProps, 'entry' | 'description' | 'capabilities' | 'memoryMib'>): void {
    const { configuration, configurationFile } = this.#context;
    const handler = new ControlFunction(this, id, {
      ...props,
      configuration,
      configurationFile,
      timeoutSeconds: FUNCTION_SECONDS.audit,
      asyncRetryAttempts: 2,
    });
    new Rule(this, `${id}Daily`, {
      description: `Holdfast: ${props.description}`,
      schedule: DAILY,
      targets: [new LambdaFunction(handler, { retryAttempts: 10 })],
    });
    const failed = handler.metricErrors({ period: Duration.minutes(1), statistic: Stats.SUM });
    this.#alarm(`${id}Errors`, failed, `${props.entry} failed`);
  }

  #watchVerification(): void {
    const metric = (period: Duration, statistic: string) =>
      new Metric({
        ...BROKEN_AUDIT_LOGS,
        dimensionsMap: { stack: Stack.of(this).stackName },
        period,
        statistic,
      });
    this.#alarm(
      'BrokenLogs',
      metric(Duration.days(1), Stats.MAXIMUM),
      'the log of an experiment was changed or cut off',
    );
    new Alarm(this, 'VerificationMissing', {
      metric: metric(MISSING_PERIOD, Stats.SAMPLE_COUNT),
      alarmDescription: `Holdfast: nobody has verified the log for a day and a half. ${runbook('VerificationMissing')}`,
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: MISSING_PERIODS,
      treatMissingData: TreatMissingData.BREACHING,
    }).addAlarmAction(new SnsAction(this.#operators));
  }

  #alarm(id: string, metric: Metric, what: string): void {
    new Alarm(this, id, {
      metric,
      alarmDescription: `Holdfast: ${what}. ${runbook(id)}`,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.#operators));
  }

  /** Below the prefix of this deployment, and nothing but put: what lies there it can neither read nor list nor delete. */
  #putObjects({ bucketArn, keyArn }: NonNullable<ControlPlaneContext['configuration']['auditExport']>): Capability {
    const stack = Stack.of(this);
    const objects = `${bucketArn}/${exportPrefix(stack.stackName)}*`;
    acknowledgeWildcard(stack, objects, 'What this deployment writes, below its own prefix.');
    const viaS3 = { StringEquals: { 'kms:ViaService': `s3.${stack.region}.${stack.urlSuffix}` } };
    const encrypt = (resource: string) =>
      new PolicyStatement({ actions: ['kms:GenerateDataKey'], resources: [resource], conditions: viaS3 });
    return {
      statements: [
        new PolicyStatement({ actions: ['s3:PutObject'], resources: [objects] }),
        ...(keyArn === undefined ? [] : [encrypt(keyArn)]),
      ],
      environment: {
        [ENVIRONMENT.auditBucket]: bucketArn.replace(/^.*:::/, ''),
        [ENVIRONMENT.stackName]: stack.stackName,
      },
    };
  }
}
