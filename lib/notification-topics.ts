import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { topicVariable } from '../functions/domain/names.ts';
import { NOTICE_SEVERITIES, type NoticeSeverity, type Notifications } from '../functions/domain/notifications.ts';
import { allow, type Capability } from './capability.ts';

/** One topic a severity: those that the configuration names, and the others made. Who listens, subscribes. */
export class NotificationTopics extends Construct {
  readonly bySeverity: Readonly<Record<NoticeSeverity, ITopic>>;

  constructor(scope: Construct, id: string, { topics }: Pick<Notifications, 'topics'>) {
    super(scope, id);
    const topicOf = (severity: NoticeSeverity): ITopic => {
      const arn = topics[severity];
      if (arn !== undefined) return Topic.fromTopicArn(this, severity, arn);
      return new Topic(this, severity, { displayName: `Holdfast ${severity}`, enforceSSL: true });
    };
    this.bySeverity = { INFO: topicOf('INFO'), WARNING: topicOf('WARNING'), CRITICAL: topicOf('CRITICAL') };
  }

  /** Tell people, at every severity. */
  publish(): Capability {
    const capabilities = NOTICE_SEVERITIES.map((severity) => this.on(severity, ['sns:Publish']));
    return {
      statements: capabilities.flatMap(({ statements }) => statements),
      environment: Object.assign({}, ...capabilities.map(({ environment }) => environment)),
    };
  }

  /** Publish at one severity, and see whether anybody listens. */
  announce(severity: NoticeSeverity): Capability {
    return this.on(severity, ['sns:Publish', 'sns:GetTopicAttributes']);
  }

  /** Publish at the highest severity. */
  page(): Capability {
    return this.on('CRITICAL', ['sns:Publish']);
  }

  private on(severity: NoticeSeverity, actions: string[]): Capability {
    const { topicArn } = this.bySeverity[severity];
    return allow(actions, [topicArn], { [topicVariable(severity)]: topicArn });
  }
}
