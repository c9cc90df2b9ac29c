import { randomUUID } from 'node:crypto';
import type { Principal } from '../iam/principals.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { Lambda } from '../services/lambda.ts';
import { isObject, type Json } from './intrinsics.ts';
import type { Resource, Template } from './template.ts';

export const CUSTOM_RESOURCE_PATH = '/_lab/cloudformation/';
const ANSWER_TIMEOUT_MS = 60_000;

/** CloudFormation's side of custom resources: Create at deployment, the answer by PUT to `ResponseURL`. */
export class CustomResources {
  readonly #template: Template;
  readonly #lambda: Lambda;
  readonly #deployer: Principal;
  readonly #endpoint: string;
  readonly #waiting = new Map<string, (answer: Json) => void>();

  constructor(template: Template, lambda: Lambda, deployer: Principal, endpoint: string) {
    this.#template = template;
    this.#lambda = lambda;
    this.#deployer = deployer;
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
      ResponseURL: `${this.#endpoint}${CUSTOM_RESOURCE_PATH}${id}`,
      StackId: `arn:aws:cloudformation:${this.#template.place.region}:${this.#template.place.accountId}:stack/${this.#template.place.stackName}/lab`,
      RequestId: id,
      ResourceType: resource.type,
      LogicalResourceId: resource.logicalId,
      ResourceProperties: resource.properties,
    };
    await this.#lambda.enqueue(this.#deployer, String(resource.properties.ServiceToken), event);
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
  receive(url: string, body: Buffer): object {
    const resolve = this.#waiting.get(url.slice(CUSTOM_RESOURCE_PATH.length));
    if (resolve === undefined) throw new AwsError('NotFound', 'no custom resource waits for this answer', 404);
    resolve(JSON.parse(body.toString('utf8')));
    return {};
  }
}
