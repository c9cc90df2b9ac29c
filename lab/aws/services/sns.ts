import { randomUUID } from 'node:crypto';
import { servicePrincipal } from '../iam/roles.ts';
import { isObject } from '../protocol/json.ts';
import type { Authorizer, Principal } from '../protocol/principal.ts';
import type { Resource, Template } from '../template/template.ts';
import type { Lambda } from './lambda.ts';

export interface Message {
  topicArn: string;
  messageId: string;
  subject?: string;
  message: string;
  publishedAt: string;
}

/** SNS: published messages are kept for the control socket and delivered to subscribed functions. */
export class Sns {
  readonly messages: Message[] = [];
  readonly #template: Template;
  readonly #authorizer: Authorizer;
  readonly #lambda: Lambda;

  constructor(template: Template, authorizer: Authorizer, lambda: Lambda) {
    this.#template = template;
    this.#authorizer = authorizer;
    this.#lambda = lambda;
  }

  /** @param context `aws:SourceArn` when a service publishes. @throws Error for an unknown topic, AwsError if denied. */
  async publish(
    principal: Principal,
    topicArn: string,
    message: string,
    context: Record<string, string> = {},
  ): Promise<void> {
    const topic = this.#template.ofType('AWS::SNS::Topic').find((resource) => resource.ref === topicArn);
    if (topic === undefined) throw new Error(`no topic of the template is ${topicArn}`);
    const demand = { action: 'sns:Publish', resource: topicArn, context, resourcePolicy: this.#policyOf(topic) };
    await this.#authorizer.require(principal, [demand]);
    const entry = { topicArn, messageId: randomUUID(), message, publishedAt: new Date().toISOString() };
    this.messages.push(entry);
    for (const { properties } of this.#template.ofType('AWS::SNS::Subscription')) {
      if (properties.TopicArn !== topicArn || properties.Protocol !== 'lambda') continue;
      const event = {
        Records: [
          {
            EventSource: 'aws:sns',
            EventVersion: '1.0',
            Sns: {
              Type: 'Notification',
              TopicArn: topicArn,
              MessageId: entry.messageId,
              Message: message,
              Timestamp: entry.publishedAt,
            },
          },
        ],
      };
      const from = { 'aws:SourceArn': topicArn };
      await this.#lambda.enqueue(servicePrincipal('sns.amazonaws.com'), String(properties.Endpoint), event, from);
    }
  }

  #policyOf(topic: Resource): unknown {
    const policy = this.#template.ofType('AWS::SNS::TopicPolicy').find(({ properties }) => {
      const topics = properties.Topics;
      return Array.isArray(topics) && topics.includes(topic.ref);
    });
    return isObject(policy?.properties.PolicyDocument) ? policy.properties.PolicyDocument : undefined;
  }
}
