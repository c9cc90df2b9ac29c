import { isObject } from '../protocol/json.ts';
import type { Authorizer, Principal } from '../protocol/principal.ts';
import type { Template } from '../template/template.ts';

interface QueuedMessage {
  queueArn: string;
  body: string;
  attributes: Record<string, string>;
}

/** SQS: messages that other services send to the template's queues; they are kept for the control socket. */
export class Sqs {
  readonly messages: QueuedMessage[] = [];
  readonly #template: Template;
  readonly #authorizer: Authorizer;

  constructor(template: Template, authorizer: Authorizer) {
    this.#template = template;
    this.#authorizer = authorizer;
  }

  /** @throws Error for an unknown queue, AwsError if denied. */
  async send(
    principal: Principal,
    queueArn: string,
    body: string,
    attributes: Record<string, string> = {},
  ): Promise<void> {
    const queue = this.#template.ofType('AWS::SQS::Queue').find(({ arn }) => arn === queueArn);
    if (queue === undefined) throw new Error(`no queue of the template is ${queueArn}`);
    const policy = this.#template
      .ofType('AWS::SQS::QueuePolicy')
      .find(({ properties }) => Array.isArray(properties.Queues) && properties.Queues.includes(queue.ref));
    const document = policy?.properties.PolicyDocument;
    const demand = {
      ...{ action: 'sqs:SendMessage', resource: queueArn },
      ...(isObject(document) ? { resourcePolicy: document } : {}),
    };
    await this.#authorizer.require(principal, [demand]);
    this.messages.push({ queueArn, body, attributes });
  }
}
