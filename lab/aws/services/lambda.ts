import type { CredentialStore } from '../iam/principals.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { Authorizer, Demand, Principal } from '../protocol/principal.ts';
import type { Template } from '../template/template.ts';
import type { Outcome } from './lambda-environment.ts';
import { LambdaFunction, type LambdaSeam } from './lambda-function.ts';
import { LambdaQueue } from './lambda-queue.ts';
import type { Usage } from './usage.ts';

/** The machine is small: cold starts at once would slow each other down. */
const INITIALIZATIONS_AT_ONCE = 2;

export interface LambdaDependencies {
  template: Template;
  credentials: CredentialStore;
  authorizer: Authorizer;
  usage: Usage;
  seam: LambdaSeam;
  /** Where failed asynchronous events go: the function's on-failure destination. */
  onFailedEvent: (source: LambdaFunction, destination: string, event: unknown, outcome: Outcome) => Promise<void>;
}

/** Lambda: the template's functions, each environment a process of its own. */
export class Lambda {
  readonly functions: readonly LambdaFunction[];
  readonly #dependencies: LambdaDependencies;
  readonly queue: LambdaQueue<LambdaFunction>;

  constructor(dependencies: LambdaDependencies) {
    this.#dependencies = dependencies;
    this.queue = new LambdaQueue(dependencies.onFailedEvent);
    const { template, credentials, seam, usage } = dependencies;
    this.functions = template
      .ofType('AWS::Lambda::Function')
      .map((resource) => new LambdaFunction(resource, template, credentials, seam, usage));
  }

  async start(): Promise<void> {
    const waiting = [...this.functions];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.initialize();
    };
    await Promise.all(Array.from({ length: INITIALIZATIONS_AT_ONCE }, worker));
  }

  stop(): void {
    this.queue.stop();
    for (const target of this.functions) target.stop();
  }

  /** @param reference name, ARN, partial ARN or ARN with a version. @throws AwsError ResourceNotFoundException */
  find(reference: string): LambdaFunction {
    const name = /(?:^|function:)([A-Za-z0-9-_]+)(?::[A-Za-z0-9$_-]+)?$/.exec(reference)?.[1];
    const found = this.functions.find((candidate) => candidate.name === name);
    if (found === undefined) throw new AwsError('ResourceNotFoundException', `Function not found: ${reference}`, 404);
    return found;
  }

  demand(target: LambdaFunction, context: Demand['context'] = {}): Demand {
    return { action: 'lambda:InvokeFunction', resource: target.arn, context, resourcePolicy: target.resourcePolicy };
  }

  /** Synchronous. @throws AwsError when not allowed or throttled. */
  async invoke(
    principal: Principal,
    reference: string,
    event: unknown,
    context: Demand['context'] = {},
  ): Promise<Outcome> {
    const target = this.find(reference);
    await this.#dependencies.authorizer.require(principal, [this.demand(target, context)]);
    return target.invoke(event);
  }

  /** Asynchronous: returns when the event is queued. @throws AwsError when not allowed. */
  async enqueue(
    principal: Principal,
    reference: string,
    event: unknown,
    context: Demand['context'] = {},
  ): Promise<void> {
    const target = this.find(reference);
    await this.#dependencies.authorizer.require(principal, [this.demand(target, context)]);
    this.queue.put(target, event);
  }
}
