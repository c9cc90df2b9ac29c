import { Stack } from 'aws-cdk-lib';
import { type IResource, LambdaIntegration } from 'aws-cdk-lib/aws-apigateway';
import { Alarm, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/domain/names.ts';
import type { ScheduleEvent } from '../functions/domain/schedules.ts';
import { FUNCTION_SECONDS, SCHEDULE_EVENT_AGE_SECONDS, SCHEDULE_RETRIES } from '../functions/domain/timing.ts';
import { allow, type Capability } from './capability.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { ExperimentApi } from './experiment-api.ts';
import { UndeliveredQueue } from './undelivered-queue.ts';

/** What EventBridge Scheduler replaces by the time that was due, whenever it delivers. */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

/**
 * Experiments that come by themselves: EventBridge Scheduler → one function → the function that answers `POST` of an experiment.
 * What could not even be refused waits in a queue, and an alarm says so.
 */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, context: ControlPlaneContext, api: ExperimentApi, operators: ITopic) {
    super(scope, id);
    const { schedules } = context.configuration;
    const undelivered = this.addUndelivered(operators);
    const run = this.addRun(context, api, undelivered);
    const group = new CfnScheduleGroup(this, 'Group', { name: `${Stack.of(this).stackName}-experiments` });
    const role = this.addSchedulerRole(group, run, undelivered);
    for (const [name, { expression, timeZone, enabled }] of Object.entries(schedules)) {
      const event: ScheduleEvent = { schedule: name, scheduledAt: SCHEDULED_TIME };
      new CfnSchedule(this, `Schedule-${name}`, {
        name,
        groupName: group.ref,
        description: 'Holdfast: an experiment.',
        scheduleExpression: expression,
        scheduleExpressionTimezone: timeZone,
        state: enabled ? 'ENABLED' : 'DISABLED',
        // An experiment comes when it was announced for.
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: run.functionArn,
          roleArn: role.roleArn,
          input: JSON.stringify(event),
          deadLetterConfig: { arn: undelivered.queueArn },
          retryPolicy: {
            maximumEventAgeInSeconds: SCHEDULE_EVENT_AGE_SECONDS,
            maximumRetryAttempts: SCHEDULE_RETRIES,
          },
        },
      }).node.addDependency(role);
    }
    this.addRoutes(context, api, run);
  }

  private addRun(context: ControlPlaneContext, api: ExperimentApi, undelivered: UndeliveredQueue): ControlFunction {
    const { audit, reservations, configuration, configurationFile } = context;
    const { start } = api;
    return new ControlFunction(this, 'RunSchedule', {
      entry: 'schedule/run-schedule.lambda.ts',
      description: 'A schedule is due: asks for the start of its experiment as the API does.',
      configuration,
      configurationFile,
      capabilities: [
        audit.append(),
        reservations.scheduleTurns(),
        allow(['lambda:InvokeFunction'], [start.functionArn], { [ENVIRONMENT.startFunction]: start.functionName }),
      ],
      timeoutSeconds: FUNCTION_SECONDS.short,
      // Scheduler hands the event to Lambda's queue: what the function itself throws is tried again from there.
      asyncRetryAttempts: SCHEDULE_RETRIES,
      asyncMaxAgeSeconds: SCHEDULE_EVENT_AGE_SECONDS,
      onFailure: new SqsDestination(undelivered),
    });
  }

  private addUndelivered(operators: ITopic): UndeliveredQueue {
    const queue = new UndeliveredQueue(this, 'Undelivered');
    new Alarm(this, 'ScheduleNotRun', {
      metric: queue.metricGivenUp(),
      alarmDescription:
        'Holdfast: a schedule was due and could be neither started nor refused. docs/runbook.md#a-schedule-did-not-start',
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(operators));
    return queue;
  }

  /** Only for the schedules of this group: no other schedule of the account can make Scheduler use it. */
  private addSchedulerRole(group: CfnScheduleGroup, run: ControlFunction, undelivered: UndeliveredQueue): Role {
    const { account } = Stack.of(this);
    const role = new Role(this, 'SchedulerRole', {
      description: 'EventBridge Scheduler: calls the function of the schedules.',
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': group.attrArn } },
      }),
    });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [run.functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [undelivered.queueArn] }));
    return role;
  }

  private addRoutes(context: ControlPlaneContext, { restApi }: ExperimentApi, run: ControlFunction): void {
    const { audit, configuration, configurationFile } = context;
    const make = (name: string, entry: string, description: string, capabilities: Capability[]) =>
      new ControlFunction(this, name, {
        entry: `api/${entry}.lambda.ts`,
        ...{ description, configuration, configurationFile, capabilities },
        timeoutSeconds: FUNCTION_SECONDS.api,
      });
    const list = make('ListSchedules', 'list-schedules', 'GET: schedules, their next and last times.', [audit.read()]);
    const pause = make('PauseSchedule', 'pause-schedule', 'POST: pause or resume a schedule.', [audit.append()]);
    const runNow = make('RunScheduleNow', 'run-schedule', 'POST: run a schedule out of turn.', [
      allow(['lambda:InvokeFunction'], [run.functionArn], { [ENVIRONMENT.scheduleFunction]: run.functionName }),
    ]);

    const collection = restApi.root.resourceForPath('v1/chaos/schedules');
    const one = collection.addResource('{scheduleName}');
    route(collection, 'GET', list);
    route(one.addResource('run'), 'POST', runNow);
    route(one.addResource('pause'), 'POST', pause);
    route(one.addResource('resume'), 'POST', pause);
  }
}

function route(resource: IResource, method: string, handler: ControlFunction): void {
  resource.addMethod(method, new LambdaIntegration(handler, { allowTestInvoke: false }));
}
