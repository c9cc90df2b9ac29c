import { randomUUID } from 'node:crypto';
import { servicePrincipal } from '../iam/roles.ts';
import { AwsError, unknownOperation } from '../protocol/aws-error.ts';
import { isObject } from '../protocol/json.ts';
import type { Authorizer, Demand, Principal } from '../protocol/principal.ts';
import { escapeXml } from '../protocol/query-protocol.ts';
import type { QueryService } from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';
import type { Lambda } from './lambda.ts';

export interface Message {
  topicArn: string;
  messageId: string;
  subject?: string;
  message: string;
  publishedAt: string;
}

const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';
const FIELDS: Record<string, readonly string[]> = {
  Publish: ['TopicArn', 'Subject', 'Message'],
  GetTopicAttributes: ['TopicArn'],
};
const MAX_MESSAGE_BYTES = 256 * 1024;
/** Text without line breaks and control characters; SNS wants fewer than 100. */
const SUBJECT = /^[^\p{Cc}]{1,99}$/u;

/** Messages overtake each other. */
const LONGEST_DELIVERY_MS = 100;
const AGAIN_AFTER_MS = 500;

/**
 * SNS: published messages are kept for the control socket, where the lab's operators read them, and delivered to subscribed
 * functions, at least once and in any order.
 */
export class Sns implements QueryService {
  readonly signingName = 'sns';
  readonly errorForm = 'Query';
  readonly messages: Message[] = [];
  /** As when the service is down: whoever publishes gets an error. */
  refuses = false;
  /** The operators of the lab listen to every topic; a topic that was just deployed has nobody. */
  isSubscribed = true;
  /** When set, everything is delivered a second time. */
  deliverTwice = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #template: Template;
  readonly #authorizer: Authorizer;
  readonly #lambda: Lambda;

  constructor(template: Template, authorizer: Authorizer, lambda: Lambda) {
    this.#template = template;
    this.#authorizer = authorizer;
    this.#lambda = lambda;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  demands(form: URLSearchParams): Demand[] {
    return [this.#demand(`sns:${form.get('Action')}`, form.get('TopicArn') ?? '')];
  }

  call(form: URLSearchParams): string {
    const name = form.get('Action') ?? '';
    const known = FIELDS[name];
    if (known === undefined) throw unknownOperation('sns', name);
    const isKnown = (field: string) => [...known, 'Action', 'Version'].includes(field);
    // An Alertmanager sends attributes always, and none of them.
    const isNothing = (field: string, value: string) => field === 'MessageAttributes' && value === '';
    const unknown = [...form]
      .filter(([field, value]) => !isKnown(field) && !isNothing(field, value))
      .map(([field]) => field);
    if (unknown.length > 0) throw new AwsError('InvalidParameter', `the lab does not know ${unknown.join(', ')}`);
    if (this.refuses) throw new AwsError('InternalError', 'as the control socket was told', 500);
    const topicArn = form.get('TopicArn') ?? '';
    if (this.#topic(topicArn) === undefined) throw new AwsError('NotFound', 'Topic does not exist', 404);
    const result = name === 'Publish' ? this.#publish(topicArn, form) : this.#attributes(topicArn);
    return `<${name}Response xmlns="${NAMESPACE}"><${name}Result>${result}</${name}Result><ResponseMetadata><RequestId>lab</RequestId></ResponseMetadata></${name}Response>`;
  }

  /**
   * For a service that publishes.
   * @param context `aws:SourceArn` of it. @throws Error for an unknown topic, AwsError if denied.
   */
  async publish(
    principal: Principal,
    topicArn: string,
    message: Pick<Message, 'subject' | 'message'>,
    context: Record<string, string> = {},
  ): Promise<void> {
    if (this.#topic(topicArn) === undefined) throw new Error(`no topic of the template is ${topicArn}`);
    await this.#authorizer.require(principal, [this.#demand('sns:Publish', topicArn, context)]);
    this.#accept(topicArn, message);
  }

  #publish(topicArn: string, form: URLSearchParams): string {
    const [message, subject] = [form.get('Message') ?? '', form.get('Subject')];
    if (message === '') throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES)
      throw new AwsError('InvalidParameter', 'Invalid parameter: Message too long');
    if (subject !== null && !SUBJECT.test(subject))
      throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
    const messageId = this.#accept(topicArn, { message, ...(subject === null ? {} : { subject }) });
    return `<MessageId>${messageId}</MessageId>`;
  }

  #attributes(topicArn: string): string {
    const functions = this.#functionsOf(topicArn).length;
    const attributes = { TopicArn: topicArn, SubscriptionsConfirmed: functions + (this.isSubscribed ? 1 : 0) };
    const entries = Object.entries(attributes).map(
      ([key, value]) => `<entry><key>${key}</key><value>${escapeXml(String(value))}</value></entry>`,
    );
    return `<Attributes>${entries.join('')}</Attributes>`;
  }

  /** SNS answers once it has the message; who gets it is told afterwards. */
  #accept(topicArn: string, { subject, message }: Pick<Message, 'subject' | 'message'>): string {
    const entry: Message = {
      topicArn,
      messageId: randomUUID(),
      ...(subject === undefined ? {} : { subject }),
      message,
      publishedAt: new Date().toISOString(),
    };
    this.messages.push(entry);
    for (const functionArn of this.#functionsOf(topicArn)) {
      const deliver = () =>
        this.#deliver(functionArn, entry).catch((error: unknown) => console.error(`sns: ${functionArn}:`, error));
      this.#later(Math.random() * LONGEST_DELIVERY_MS, deliver);
      if (this.deliverTwice) this.#later(AGAIN_AFTER_MS, deliver);
    }
    return entry.messageId;
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  async #deliver(functionArn: string, { topicArn, messageId, subject, message, publishedAt }: Message): Promise<void> {
    const event = {
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          Sns: {
            Type: 'Notification',
            TopicArn: topicArn,
            MessageId: messageId,
            Subject: subject ?? null,
            Message: message,
            Timestamp: publishedAt,
          },
        },
      ],
    };
    const from = { 'aws:SourceArn': topicArn };
    await this.#lambda.enqueue(servicePrincipal('sns.amazonaws.com'), functionArn, event, from);
  }

  #demand(action: string, topicArn: string, context: Record<string, string> = {}): Demand {
    const topic = this.#topic(topicArn);
    return { action, resource: topicArn, context, ...(topic ? { resourcePolicy: this.#policyOf(topic) } : {}) };
  }

  #topic(topicArn: string): Resource | undefined {
    return this.#template.ofType('AWS::SNS::Topic').find((resource) => resource.ref === topicArn);
  }

  #functionsOf(topicArn: string): string[] {
    return this.#template
      .ofType('AWS::SNS::Subscription')
      .filter(({ properties }) => properties.TopicArn === topicArn && properties.Protocol === 'lambda')
      .map(({ properties }) => String(properties.Endpoint));
  }

  #policyOf(topic: Resource): unknown {
    const policy = this.#template.ofType('AWS::SNS::TopicPolicy').find(({ properties }) => {
      const topics = properties.Topics;
      return Array.isArray(topics) && topics.includes(topic.ref);
    });
    return isObject(policy?.properties.PolicyDocument) ? policy.properties.PolicyDocument : undefined;
  }
}
