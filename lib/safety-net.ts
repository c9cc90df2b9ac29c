import { Duration } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { IDestination } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { EARLY_FIS_ENDS } from '../functions/domain/fis-fault.ts';
import { EVENT_SOURCE, eventDetailType } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS, TTL_SECONDS } from '../functions/domain/timing.ts';
import { alarmPatterns } from './alarm-patterns.ts';
import { describeAlarms } from './capability.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { ExperimentStateMachine } from './experiment-state-machine.ts';
import type { ExperimentSteps } from './experiment-steps.ts';
import { OperatorAlarms } from './operator-alarms.ts';
import { UndeliveredQueue } from './undelivered-queue.ts';

/** Late it still rolls back what its execution left; the sweep does so within a minute. */
const EXECUTION_END_AGE = Duration.hours(1);

/** One line: EventBridge makes no text of what is behind it. */
const PAGE = RuleTargetInput.fromText(
  `CRITICAL Holdfast: ROLLBACK_FAILED of ${EventField.fromPath('$.detail.experimentId')} at ${EventField.fromPath('$.detail.at')}. A person is needed: docs/runbook.md. holdfast status ${EventField.fromPath('$.detail.experimentId')}`,
);

const EXECUTION_DIED = RuleTargetInput.fromText(
  `CRITICAL Holdfast: the execution ${EventField.fromPath('$.detail.name')} ended as ${EventField.fromPath('$.detail.status')}. Its lease is released and a rollback starts. holdfast status ${EventField.fromPath('$.detail.name')}`,
);

/** What works when the execution does not: alarms, its own end, the sweep each minute, and a page when a person is needed. */
export class SafetyNet extends Construct {
  /** The topic of what is critical: whoever must hear of a rollback that failed. */
  readonly operators: ITopic;
  readonly alarms: OperatorAlarms;
  readonly #undelivered: UndeliveredQueue;

  constructor(
    scope: Construct,
    id: string,
    context: ControlPlaneContext,
    experiment: ExperimentStateMachine,
    steps: ExperimentSteps,
    notify: ControlFunction,
  ) {
    super(scope, id);
    this.operators = context.topics.bySeverity.CRITICAL;
    this.#undelivered = new UndeliveredQueue(this, 'Undelivered');
    this.addPages();
    const onAlarm = this.addAlarmRule(context);
    const onExecutionEnd = this.addExecutionEnd(context, experiment);
    const onFisEnd = this.addFisEnd(context);
    const sweep = this.addSweep(context, experiment);
    this.alarms = new OperatorAlarms(this, 'OperatorAlarms', {
      operators: this.operators,
      stateMachine: experiment.stateMachine,
      afterFault: [sweep, steps.rollBack, steps.concludeExperiment, onExecutionEnd, onAlarm, onFisEnd],
      notify,
    });
    this.alarms.pageOn(
      'EventsUndelivered',
      this.#undelivered.metricGivenUp(),
      'An event that may end a fault was given up.',
    );
  }

  /**
   * EventBridge hands an event to Lambda's queue, which keeps it for 6 h unless it is told otherwise: throttled, an event
   * would come when it concerns nobody any more. One that is given up calls a person.
   */
  #givenUp(asyncMaxAgeSeconds: number): { asyncMaxAgeSeconds: number; onFailure: IDestination } {
    return { asyncMaxAgeSeconds, onFailure: new SqsDestination(this.#undelivered) };
  }

  private addAlarmRule(context: ControlPlaneContext): ControlFunction {
    const { configuration, configurationFile, leases, locks, audit } = context;
    const onAlarm = new ControlFunction(this, 'OnAlarm', {
      entry: 'rollback/on-alarm.lambda.ts',
      description: 'A configured alarm fires: release the leases it concerns.',
      configuration,
      configurationFile,
      capabilities: [leases.read(), leases.update(), locks.list(), audit.append(), describeAlarms()],
      timeoutSeconds: FUNCTION_SECONDS.short,
      reservedConcurrency: 3,
      asyncRetryAttempts: 2,
      ...this.#givenUp(TTL_SECONDS.max),
    });
    const names = Object.values(configuration.clusters).flatMap(({ alarms }) => alarms.map(({ name }) => name));
    for (const [index, eventPattern] of alarmPatterns(names).entries()) {
      new Rule(this, `AlarmFired${index === 0 ? '' : index + 1}`, {
        description: 'Holdfast: alarms that end experiments.',
        eventPattern,
        // No fault lives longer: an older alarm could only end an experiment it does not concern.
        targets: [new LambdaFunction(onAlarm, { maxEventAge: Duration.seconds(TTL_SECONDS.max), retryAttempts: 10 })],
      });
    }
    return onAlarm;
  }

  /** No catcher of the machine sees that it died, was stopped or ran out of time; EventBridge tells. */
  private addExecutionEnd(context: ControlPlaneContext, experiment: ExperimentStateMachine): ControlFunction {
    const { configuration, configurationFile, leases, audit } = context;
    const onExecutionEnd = new ControlFunction(this, 'OnExecutionEnd', {
      entry: 'rollback/on-execution-end.lambda.ts',
      description: 'An execution died: release its lease, start the rollback.',
      configuration,
      configurationFile,
      capabilities: [leases.update(), audit.read(), experiment.start()],
      timeoutSeconds: FUNCTION_SECONDS.short,
      reservedConcurrency: 5,
      asyncRetryAttempts: 2,
      ...this.#givenUp(EXECUTION_END_AGE.toSeconds()),
    });
    new Rule(this, 'ExecutionDied', {
      description: 'Holdfast: an execution ended without having rolled back, a person should look.',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [experiment.stateMachine.stateMachineArn],
        },
      },
      targets: [
        new LambdaFunction(onExecutionEnd, { maxEventAge: EXECUTION_END_AGE, retryAttempts: 10 }),
        new SnsTopic(this.operators, { message: EXECUTION_DIED }),
      ],
    });
    return onExecutionEnd;
  }

  /** FIS does not read the lease, and nothing else tells that it ended a fault before its time. */
  private addFisEnd(context: ControlPlaneContext): ControlFunction {
    const { configuration, configurationFile, leases, audit, fis } = context;
    const onFisEnd = new ControlFunction(this, 'OnFisEnd', {
      entry: 'rollback/on-fis-end.lambda.ts',
      description: 'A fault in FIS ended before its time: release the lease of its experiment.',
      configuration,
      configurationFile,
      capabilities: [leases.read(), leases.update(), audit.append(), fis.recognize()],
      timeoutSeconds: FUNCTION_SECONDS.short,
      reservedConcurrency: 2,
      asyncRetryAttempts: 2,
      ...this.#givenUp(TTL_SECONDS.max),
    });
    new Rule(this, 'FisExperimentEnded', {
      description: 'Holdfast: FIS experiments that end before their time.',
      eventPattern: {
        source: ['aws.fis'],
        detailType: ['FIS Experiment State Change'],
        detail: { 'new-state': { status: [...EARLY_FIS_ENDS] } },
      },
      targets: [new LambdaFunction(onFisEnd, { maxEventAge: Duration.seconds(TTL_SECONDS.max), retryAttempts: 10 })],
    });
    return onFisEnd;
  }

  private addSweep(context: ControlPlaneContext, experiment: ExperimentStateMachine): ControlFunction {
    const { configuration, configurationFile, leases, locks, audit, topics } = context;
    const sweep = new ControlFunction(this, 'Sweep', {
      entry: 'rollback/sweep.lambda.ts',
      description:
        'Rolls back what is past its end even if its execution is dead; frees stale locks; tells of engaged switches.',
      configuration,
      configurationFile,
      capabilities: [
        leases.read(),
        leases.update(),
        locks.list(),
        locks.free(),
        audit.append(),
        topics.page(),
        experiment.start(),
        experiment.describeAndStop(),
      ],
      timeoutSeconds: FUNCTION_SECONDS.sweep,
      reservedConcurrency: 2,
    });
    new Rule(this, 'EveryMinute', {
      description: 'Holdfast: the sweep.',
      schedule: Schedule.rate(Duration.minutes(1)),
      // The next one comes in a minute and sees the same.
      targets: [new LambdaFunction(sweep, { maxEventAge: Duration.minutes(1), retryAttempts: 0 })],
    });
    return sweep;
  }

  /** Past the function that tells people: whatever becomes of that, somebody is paged. */
  private addPages(): void {
    new Rule(this, 'RollbackFailed', {
      description: 'Holdfast: a rollback failed, a person is needed.',
      eventPattern: { source: [EVENT_SOURCE], detailType: [eventDetailType('ROLLBACK_FAILED')] },
      targets: [new SnsTopic(this.operators, { message: PAGE })],
    });
    // The lease was released, but the store did not recover or something was left: that shows only in the conclusion.
    new Rule(this, 'ConcludedAsRollbackFailed', {
      description: 'Holdfast: an experiment ended as ROLLBACK_FAILED, a person is needed.',
      eventPattern: {
        source: [EVENT_SOURCE],
        detailType: [eventDetailType('CONCLUDED')],
        detail: { details: { status: ['ROLLBACK_FAILED'] } },
      },
      targets: [new SnsTopic(this.operators, { message: PAGE })],
    });
  }
}
