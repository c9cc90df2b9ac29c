import { Duration, Validations } from 'aws-cdk-lib';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Where events and messages go that a service gave up. Nobody reads it but a person, whom an alarm over it must call. */
export class UndeliveredQueue extends Queue {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is itself a dead-letter queue.' });
  }

  /** How many came in, not how many lie there: each one pages, also while nobody has purged the queue. */
  metricGivenUp(): Metric {
    return this.metricNumberOfMessagesSent({ period: Duration.minutes(1), statistic: Stats.SUM });
  }
}
