import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  type CatchProps,
  Choice,
  Condition,
  DefinitionBody,
  JsonPath,
  LogLevel,
  Parallel,
  StateMachine,
  StateMachineType,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvocationType, LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/domain/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { allow, type Capability } from './capability.ts';
import { ControlFunction } from './control-function.ts';
import type { ExperimentSteps } from './experiment-steps.ts';

/** Above the sum of all states with all their retries (a test adds them up); nothing in the machine catches this timeout. */
const MACHINE_TIMEOUT = Duration.minutes(80);
/** A step's own timeout stands a little above its Lambda's, so that the Lambda's error is the one that is seen. */
const MARGIN_SECONDS = 5;

/**
 * *Roll back only?* → (*Await the announced start* →) *Check steady state* → *Resolve targets* → *Hold the fault while watched* → *Roll back* →
 * *Verify recovery* → *Conclude*.
 *
 * Nothing before *Roll back* is retried: a step that failed may have acted, so its only successor is the rollback.
 * Everything from there on is idempotent and is. `States.ALL` does not catch `States.Runtime`, the machine's own
 * timeout or a stopped execution, and none of them ends a Lambda that runs: the guard would beat on up to the TTL. So
 * the safety net listens for the end of an execution, releases its lease and starts a rollback-only execution.
 */
export class ExperimentStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: ExperimentSteps) {
    super(scope, id);
    const toRollBack: CatchProps = { errors: ['States.ALL'], resultPath: '$.cause' };

    const conclude = this.step('Conclude', steps.concludeExperiment, '$.verdict').addRetry({
      errors: ['States.ALL'],
      interval: Duration.seconds(2),
      maxAttempts: 5,
      backoffRate: 2,
      maxDelay: Duration.seconds(30),
    });
    const verifyRecovery = this.step('Verify recovery', steps.verifyRecovery, '$.recovery')
      .addCatch(conclude, { errors: ['States.ALL'], resultPath: '$.recoveryError' })
      .next(conclude);
    const rollBack = this.step('Roll back', steps.rollBack, '$.rollback')
      // A timeout too: the hosts may be slow to answer, and reverting twice is the same as once.
      .addRetry({ errors: ['States.ALL'], interval: Duration.seconds(1), maxAttempts: 3, backoffRate: 2 })
      .addCatch(verifyRecovery, { errors: ['States.ALL'], resultPath: '$.rollbackError' });
    rollBack.next(verifyRecovery);

    const holdWhileWatched = new Parallel(this, 'Hold the fault while watched', {
      // The branches end with nothing and with the injection: two whole runs could be more than a state may hold.
      resultSelector: {
        injectedAt: JsonPath.stringAt('$[1].injectedAt'),
        endsAt: JsonPath.stringAt('$[1].endsAt'),
        injectedFaults: JsonPath.listAt('$[1].injectedFaults'),
      },
      resultPath: '$.injection',
    })
      .branch(this.step('Guard', steps.guard, JsonPath.DISCARD, JsonPath.DISCARD))
      .branch(
        this.startProbe(steps.probe).next(
          this.injectInBatches(this.step('Inject fault', steps.injectFault, '$.injection'), steps.checkTargets),
        ),
      )
      .addCatch(rollBack, toRollBack);
    holdWhileWatched.next(rollBack);

    const resolveTargets = this.step('Resolve targets', steps.resolveTargets, '$.targets')
      .addCatch(rollBack, toRollBack)
      .next(holdWhileWatched);
    const checkSteadyState = this.step('Check steady state', steps.checkSteadyState, '$.baselines')
      .addCatch(rollBack, toRollBack)
      .next(resolveTargets);

    const awaitStart = this.step('Await the announced start', steps.awaitStart, JsonPath.DISCARD)
      .addCatch(rollBack, toRollBack)
      .next(checkSteadyState);
    // Whoever leaves the time out of the input starts nothing earlier: the injection looks into the log.
    const announced = new Choice(this, 'Announced ahead?')
      .when(Condition.isPresent('$.startsAt'), awaitStart)
      .otherwise(checkSteadyState);

    // Only an input that says so in plain words runs an experiment; anything else can at most roll one back.
    const rollBackOnly = new Choice(this, 'Roll back only?')
      .when(
        Condition.and(Condition.isPresent('$.rollbackOnly'), Condition.booleanEquals('$.rollbackOnly', false)),
        announced,
      )
      .otherwise(rollBack);

    this.stateMachine = new StateMachine(this, 'Experiment', {
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(rollBackOnly),
      comment: 'One experiment: a fault lives only while someone is watching it.',
      timeout: MACHINE_TIMEOUT,
      tracingEnabled: true,
      logs: {
        // With data: what a step was given and gave back is the evidence of a run. It holds no secret.
        destination: new LogGroup(this, 'Logs', {
          retention: RetentionDays.ONE_YEAR,
          removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        }),
        level: LogLevel.ALL,
        includeExecutionData: true,
      },
    });
    this.acknowledgeWildcards(steps);
  }

  /** Start an execution, named after its experiment. */
  start(): Capability {
    const { stateMachineArn } = this.stateMachine;
    return allow(['states:StartExecution'], [stateMachineArn], { [ENVIRONMENT.stateMachineArn]: stateMachineArn });
  }

  /** See whether an execution still runs, and stop one that hangs. */
  describeAndStop(): Capability {
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.stateMachine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    acknowledgeWildcard(Stack.of(this), executions, 'Executions of this machine: their names are made as they start.');
    return allow(['states:DescribeExecution', 'states:StopExecution'], [executions]);
  }

  /**
   * *Inject fault* → (*Wait for the next fault* → *Check targets* → *Inject fault*)* → *Hold until TTL*. The function
   * says when to come back; as long as it does, nothing is complete.
   */
  private injectInBatches(injectFault: LambdaInvoke, checkTargets: ControlFunction): LambdaInvoke {
    const wait = new Wait(this, 'Wait for the next fault', {
      time: WaitTime.timestampPath('$.injection.nextFaultAt'),
    });
    const hold = Wait.jsonPath(this, 'Hold until TTL', {
      time: WaitTime.timestampPath('$.injection.endsAt'),
      outputPath: '$.injection',
    });
    const more = new Choice(this, 'More faults?');
    injectFault.next(more);
    more.when(Condition.isPresent('$.injection.nextFaultAt'), wait).otherwise(hold);
    wait.next(this.step('Check targets', checkTargets, JsonPath.DISCARD)).next(injectFault);
    return injectFault;
  }

  /** A Lambda that is given the whole run and adds its part at `resultPath`; `outputPath` of that is handed on. */
  private step(name: string, lambdaFunction: ControlFunction, resultPath: string, outputPath = '$'): LambdaInvoke {
    return new LambdaInvoke(this, name, {
      lambdaFunction,
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      resultPath,
      outputPath,
      taskTimeout: Timeout.duration(lambdaFunction.timeLimit.plus(Duration.seconds(MARGIN_SECONDS))),
    });
  }

  /** Asynchronous: the probe outlives the fault, and its failure must not end the watch. */
  private startProbe(probe: ControlFunction): LambdaInvoke {
    return new LambdaInvoke(this, 'Start probe', {
      lambdaFunction: probe,
      invocationType: LambdaInvocationType.EVENT,
      payload: TaskInput.fromJsonPathAt('$'),
      retryOnServiceExceptions: false,
      resultPath: JsonPath.DISCARD,
      taskTimeout: Timeout.duration(Duration.seconds(10)),
    });
  }

  private acknowledgeWildcards(steps: ExperimentSteps): void {
    const { role } = this.stateMachine;
    acknowledgeWildcard(role, '*', 'Log delivery and X-Ray actions of a state machine know no resources.');
    for (const step of steps.node.children.filter((child) => child instanceof ControlFunction)) {
      acknowledgeWildcard(
        role,
        `${step.functionArn}:*`,
        'Versions of a function that this machine runs; it may invoke no other.',
      );
    }
  }
}
