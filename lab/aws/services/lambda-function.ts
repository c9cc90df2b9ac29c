import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CredentialStore } from '../iam/principals.ts';
import { rolePrincipal } from '../iam/roles.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type Json } from '../protocol/json.ts';
import type { Principal } from '../protocol/principal.ts';
import { objectList } from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';
import { Environment, type Outcome } from './lambda-environment.ts';
import { boundedOutcome, requireFits } from './lambda-payload.ts';
import type { Usage } from './usage.ts';

/** How long an asynchronous event may wait, as Lambda allows it to be configured. */
const EVENT_AGE_SECONDS = { min: 60, max: 6 * 3600 };

/** Where the lab differs from AWS: one endpoint, its certificate, a namespace instead of a VPC. */
export interface LambdaSeam {
  endpoint: string;
  caFile: string;
  logDirectory: string;
  /** Command that enters the network of functions with a `VpcConfig`. */
  enterVpc: readonly string[];
  /** The same for all others, which reach AWS alone. */
  enterWithoutVpc: readonly string[];
}

/** One function of the template: its warm environments and its limits. */
export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly principal: Principal;
  /** `Allow` statements of the `AWS::Lambda::Permission`s, as a resource policy. */
  readonly resourcePolicy: object;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onFailure: string | undefined;
  readonly environments: Environment[] = [];
  readonly #timeoutMs: number;
  readonly #memoryMb: number;
  readonly #reservedConcurrency: number | undefined;
  readonly #start: () => Environment;
  readonly #usage: Usage;
  #running = 0;

  constructor(resource: Resource, template: Template, credentials: CredentialStore, seam: LambdaSeam, usage: Usage) {
    const { properties } = resource;
    this.name = resource.name;
    this.arn = resource.arn ?? '';
    this.#usage = usage;
    this.#timeoutMs = Number(properties.Timeout ?? 3) * 1000;
    this.#memoryMb = Number(properties.MemorySize ?? 128);
    const reserved = properties.ReservedConcurrentExecutions;
    this.#reservedConcurrency = typeof reserved === 'number' ? reserved : undefined;
    this.principal = rolePrincipal(template, String(properties.Role), { service: 'lambda.amazonaws.com' }, this.name);
    this.resourcePolicy = permissionsOf(template, this);
    const asynchronous = template
      .ofType('AWS::Lambda::EventInvokeConfig')
      .find((config) => config.properties.FunctionName === this.name)?.properties;
    this.maximumRetryAttempts = Number(asynchronous?.MaximumRetryAttempts ?? 2);
    this.maximumEventAgeSeconds = eventAgeOf(asynchronous?.MaximumEventAgeInSeconds);
    this.onFailure = onFailureOf(asynchronous?.DestinationConfig);
    const code = isObject(properties.Code) ? properties.Code : {};
    const codeDirectory = template.assetPath(String(code.S3Key));
    const configured = isObject(properties.Environment) ? properties.Environment.Variables : undefined;
    const variables: Record<string, string> = isObject(configured)
      ? Object.fromEntries(Object.entries(configured).map(([name, value]) => [name, String(value)]))
      : {};
    mkdirSync(seam.logDirectory, { recursive: true });
    this.#start = () => {
      const session = credentials.mintSession(this.principal);
      const environment = new Environment({
        codeDirectory,
        logFile: join(seam.logDirectory, `${this.name}.log`),
        enter: isObject(properties.VpcConfig) ? seam.enterVpc : seam.enterWithoutVpc,
        variables: {
          ...standardVariables(this.name, this.#memoryMb, template.place.region, codeDirectory),
          _HANDLER: String(properties.Handler),
          ...variables,
          AWS_ACCESS_KEY_ID: session.accessKeyId,
          AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
          AWS_SESSION_TOKEN: session.sessionToken,
          AWS_ENDPOINT_URL: seam.endpoint,
          NODE_EXTRA_CA_CERTS: seam.caFile,
        },
      });
      this.environments.push(environment);
      return environment;
    };
  }

  /** Starts one environment ahead of the first call, as Lambda often does. */
  async initialize(): Promise<void> {
    if (this.environments.length === 0) await this.#start().ready;
  }

  /** @throws AwsError RequestTooLargeException, and TooManyRequestsException when the reserved concurrency is used up. */
  async invoke(event: unknown): Promise<Outcome> {
    requireFits(event);
    if (this.#reservedConcurrency !== undefined && this.#running >= this.#reservedConcurrency) {
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
        Type: 'User',
      });
    }
    this.#running += 1;
    const startedMs = performance.now();
    try {
      const free = this.environments.find(({ state }) => state === 'idle' || state === 'initializing');
      return boundedOutcome(await (free ?? this.#start()).invoke(event, this.arn, this.#timeoutMs));
    } finally {
      this.#running -= 1;
      this.#usage.lambdaInvocations += 1;
      this.#usage.gigabyteSeconds += ((performance.now() - startedMs) / 1000) * (this.#memoryMb / 1024);
      const alive = this.environments.filter(({ state }) => state !== 'dead');
      this.environments.splice(0, this.environments.length, ...alive);
    }
  }

  stop(): void {
    for (const environment of this.environments) environment.kill();
  }
}

function standardVariables(name: string, memoryMb: number, region: string, root: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: root,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'lab',
  };
}

function permissionsOf(template: Template, target: { name: string; arn: string }): object {
  const statements = template
    .ofType('AWS::Lambda::Permission')
    .filter(({ properties }) => properties.FunctionName === target.name || properties.FunctionName === target.arn)
    .map(({ logicalId, properties }) => ({
      Sid: logicalId.replace(/\W/g, ''),
      Effect: 'Allow',
      Principal: String(properties.Principal).includes('.amazonaws.com')
        ? { Service: properties.Principal }
        : { AWS: properties.Principal },
      Action: properties.Action,
      Resource: target.arn,
      ...(properties.SourceArn === undefined
        ? {}
        : { Condition: { ArnLike: { 'AWS:SourceArn': properties.SourceArn } } }),
    }));
  return { Version: '2012-10-17', Statement: statements };
}

/** @throws Error for what Lambda itself would refuse. */
function eventAgeOf(given: Json | undefined): number {
  const { min, max } = EVENT_AGE_SECONDS;
  const seconds = Number(given ?? max);
  if (seconds >= min && seconds <= max) return seconds;
  throw new Error(`MaximumEventAgeInSeconds: ${given} is not from ${min} to ${max}`);
}

function onFailureOf(destinations: Json | undefined): string | undefined {
  if (!isObject(destinations)) return undefined;
  if (objectList([destinations.OnSuccess ?? null]).length > 0)
    throw new Error('the lab does not know OnSuccess destinations');
  const onFailure = destinations.OnFailure;
  return isObject(onFailure) ? String(onFailure.Destination) : undefined;
}
