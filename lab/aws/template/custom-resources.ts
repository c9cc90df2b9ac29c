import { randomUUID } from 'node:crypto';
import { AwsError } from '../protocol/aws-error.ts';
import type { UnsignedRoute } from '../protocol/front.ts';
import type { WireRequest } from '../protocol/http.ts';
import { isObject, type Json } from '../protocol/json.ts';
import type { Resource, Template } from './template.ts';

const ANSWER_PATH = '/_lab/cloudformation/';
const ANSWER_TIMEOUT_MS = 60_000;

/** CloudFormation's side of custom resources: Create at deployment, the answer by PUT to `ResponseURL`. */
export class CustomResources implements UnsignedRoute {
  readonly prefix = ANSWER_PATH;
  /** Its answers go to a presigned URL of S3. */
  readonly service = 's3';
  readonly #template: Template;
  readonly #invoke: (functionArn: string, event: object) => Promise<void>;
  readonly #endpoint: string;
  readonly #waiting = new Map<string, (answer: Json) => void>();

  /** @param invoke queues the event for the function behind a resource, as who deploys. */
  constructor(template: Template, invoke: (functionArn: string, event: object) => Promise<void>, endpoint: string) {
    this.#template = template;
    this.#invoke = invoke;
    this.#endpoint = endpoint;
  }

  /** Creates all of them. @throws Error when one answers FAILED or not at all: the deployment has failed. */
  async create(): Promise<void> {
    const types = (resource: Resource) =>
      resource.type === 'AWS::CloudFormation::CustomResource' || resource.type.startsWith('Custom::');
    for (const resource of this.#template.resources.filter(types)) await this.#create(resource);
  }

  async #create(resource: Resource): Promise<void> {
    const id = randomUUID();
    const answered = new Promise<Json>((resolve) => this.#waiting.set(id, resolve));
    const event = {
      RequestType: 'Create',
      ResponseURL: `${this.#endpoint}${ANSWER_PATH}${id}`,
      StackId: `arn:aws:cloudformation:${this.#template.place.region}:${this.#template.place.accountId}:stack/${this.#template.place.stackName}/lab`,
      RequestId: id,
      ResourceType: resource.type,
      LogicalResourceId: resource.logicalId,
      ResourceProperties: resource.properties,
    };
    await this.#invoke(String(resource.properties.ServiceToken), event);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Json>((resolve) => {
      timer = setTimeout(
        () => resolve({ Status: 'FAILED', Reason: `no answer within ${ANSWER_TIMEOUT_MS / 1000} s` }),
        ANSWER_TIMEOUT_MS,
      );
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (!isObject(answer) || answer.Status !== 'SUCCESS') {
      throw new Error(
        `custom resource ${resource.logicalId} failed: ${isObject(answer) ? String(answer.Reason) : 'no object'}`,
      );
    }
  }

  /** The function's PUT; the random id in the URL is its authentication, as with AWS's pre-signed URL. */
  handle({ url, body }: WireRequest): object {
    const resolve = this.#waiting.get(url.slice(ANSWER_PATH.length));
    if (resolve === undefined) throw new AwsError('NotFound', 'no custom resource waits for this answer', 404);
    resolve(JSON.parse(body.toString('utf8')));
    return {};
  }
}
