import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EVENT_SOURCE, eventDetailType } from '../functions/domain/names.ts';
import { TOLD_TYPES } from '../functions/domain/notice.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** Tells people what the log says, in their words. */
export class Notify extends Construct {
  readonly notify: ControlFunction;

  constructor(scope: Construct, id: string, context: ControlPlaneContext) {
    super(scope, id);
    const { configuration, configurationFile, audit, topics } = context;
    this.notify = new ControlFunction(this, 'Notify', {
      entry: 'notify/notify.lambda.ts',
      description: 'Tells people what the log says: a text that reads on a phone, to the topic of its severity.',
      configuration,
      configurationFile,
      capabilities: [audit.read(), topics.publish()],
      timeoutSeconds: FUNCTION_SECONDS.short,
      asyncRetryAttempts: 2,
    });
    new Rule(this, 'Told', {
      description: 'Holdfast: what people are told of.',
      eventPattern: { source: [EVENT_SOURCE], detailType: TOLD_TYPES.map(eventDetailType) },
      // Late news is better than none, for as long as somebody may still do something about it.
      targets: [new LambdaFunction(this.notify, { maxEventAge: Duration.hours(1), retryAttempts: 10 })],
    });
  }
}
