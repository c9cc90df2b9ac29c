import type { LabHost } from '../fleet/engine.ts';
import { AUDIT_BUCKET, LAB_USERS } from '../shared/topology.ts';
import { createControl } from './control.ts';
import { IamAuthorizer } from './iam/authorization.ts';
import { CredentialStore } from './iam/principals.ts';
import { hostPrincipal, userPrincipal } from './iam/roles.ts';
import { createFront } from './protocol/front.ts';
import { jsonEndpoint } from './protocol/json-protocol.ts';
import { Outages } from './protocol/outages.ts';
import type { Credentials } from './protocol/principal.ts';
import { queryEndpoint } from './protocol/query-protocol.ts';
import { restEndpoint } from './protocol/rest-protocol.ts';
import type { ServiceModel } from './referee/model.ts';
import { Referee } from './referee/referee.ts';
import { type Amp, readAmp } from './services/amp.ts';
import { ApiGateway } from './services/api-gateway.ts';
import { AutoScaling } from './services/auto-scaling.ts';
import { CloudWatch } from './services/cloudwatch.ts';
import { DynamoDb } from './services/dynamodb.ts';
import { Ec2 } from './services/ec2.ts';
import { EventBridge } from './services/eventbridge.ts';
import { Fis } from './services/fis.ts';
import { type HostPower, Instances } from './services/instances.ts';
import { Lambda } from './services/lambda.ts';
import type { LambdaSeam } from './services/lambda-function.ts';
import { lambdaEndpoint } from './services/lambda-invoke.ts';
import { managedPrometheus } from './services/managed-prometheus.ts';
import { S3 } from './services/s3.ts';
import { Scheduler } from './services/scheduler.ts';
import { SecretsManager } from './services/secrets-manager.ts';
import { Sns } from './services/sns.ts';
import { Sqs } from './services/sqs.ts';
import { Ssm } from './services/ssm.ts';
import { AgentChannel } from './services/ssm-agents.ts';
import { StepFunctions } from './services/step-functions.ts';
import { Usage } from './services/usage.ts';
import { type VpcAddresses, vpcEndpoints } from './services/vpc-endpoints.ts';
import { CustomResources } from './template/custom-resources.ts';
import type { Template } from './template/template.ts';

export interface SystemOptions {
  template: Template;
  seam: LambdaSeam;
  hosts: readonly LabHost[];
  power: HostPower;
  /** Instance id → token of its agent. */
  agentTokens: ReadonlyMap<string, string>;
  secretsFile: string;
  /** Of AMP: id of a workspace → base URL of the Prometheus that stands for it. */
  workspaces: ReadonlyMap<string, string>;
  /** Where buckets are folders. */
  objectsDirectory: string;
  /** What was asked or answered is held to it. */
  models: ReadonlyMap<string, ServiceModel>;
  vpcAddresses: VpcAddresses;
  /** Something that AWS would not have known, or would not have been reached by: a run that has any has failed. */
  onViolation(violation: string): void;
  nowMs: () => number;
}

/** Everything the lab stands in for, wired; the caller listens. */
export interface System {
  front: ReturnType<typeof createFront>;
  control: ReturnType<typeof createControl>;
  operator: Credentials;
  administrator: Credentials;
  credentials: CredentialStore;
  api: ApiGateway | undefined;
  dynamoDb: DynamoDb;
  ssm: Ssm;
  lambda: Lambda;
  stepFunctions: StepFunctions;
  events: EventBridge;
  scheduler: Scheduler;
  sqs: Sqs;
  sns: Sns;
  cloudWatch: CloudWatch;
  instances: Instances;
  fis: Fis;
  usage: Usage;
  amp: Amp | undefined;
  /** Whose key the team's own Alertmanager signs with. */
  alertmanager: Credentials;
  outages: Outages;
  /** Before anything listens: creates the tables. */
  createTables(): Promise<void>;
  /** Once the endpoint answers: warm functions, custom resources, schedules. */
  deploy(): Promise<void>;
  stop(): void;
}

export function createSystem(options: SystemOptions): System {
  const { template, seam, hosts } = options;
  const { accountId, region } = template.place;
  const usage = new Usage();
  const credentials = new CredentialStore();
  const authorizer = new IamAuthorizer(accountId, region, (principal, demand) => {
    usage.countDenied(principal.name, demand.action);
    console.error(
      `authorization: DENIED ${principal.arn} ${demand.action} on ${demand.resource} ${JSON.stringify(demand.context ?? {})}`,
    );
  });
  const lambda: Lambda = new Lambda({
    template,
    credentials,
    authorizer,
    usage,
    seam,
    onFailedEvent: (source, destination, event, outcome) => {
      const message = JSON.stringify({ requestPayload: event, responsePayload: outcome.error });
      const { principal } = source;
      return destination.includes(':sqs:')
        ? sqs.send(principal, destination, message)
        : sns.publish(principal, destination, { message });
    },
  });
  const sqs: Sqs = new Sqs(template, authorizer);
  const sns: Sns = new Sns(template, authorizer, lambda);
  const events = new EventBridge(template, lambda, sns);
  const scheduler = new Scheduler(template, lambda, sqs);
  const cloudWatch = new CloudWatch(template, events, usage);
  const instances = new Instances(hosts, options.power);
  const ec2 = new Ec2(template.place, instances);
  const fis = new Fis({ template, authorizer, ec2, cloudWatch, events });
  const dynamoDb = new DynamoDb(template);
  const stepFunctions = new StepFunctions(template, lambda, events, usage);
  const agents = new AgentChannel(options.agentTokens, credentials, (instanceId) =>
    hostPrincipal(template, instanceId),
  );
  const ssm = new Ssm(template, hosts, agents);
  agents.book = ssm.book;
  const api =
    template.ofType('AWS::ApiGateway::RestApi').length === 0
      ? undefined
      : new ApiGateway(template, authorizer, lambda, usage);
  const administrator = userPrincipal(accountId, LAB_USERS.administrator, ['*'], ['*']);
  const operator = userPrincipal(
    accountId,
    LAB_USERS.operator,
    ['execute-api:Invoke'],
    [`${api?.arn ?? 'arn:aws:execute-api:::'}/*`],
  );
  const deploy = (functionArn: string, event: object) => lambda.enqueue(administrator, functionArn, event);
  const customResources = new CustomResources(template, deploy, seam.endpoint);
  const secrets = new SecretsManager(template.place, options.secretsFile);
  const endpoints = [
    ...[dynamoDb, ssm, stepFunctions, events, cloudWatch, secrets].map(jsonEndpoint),
    restEndpoint(fis),
    queryEndpoint(ec2),
    queryEndpoint(new AutoScaling(instances)),
    queryEndpoint(sns),
    lambdaEndpoint(lambda, authorizer),
    new S3(options.objectsDirectory, [AUDIT_BUCKET]),
  ];
  for (const { signingName } of endpoints) {
    if (!options.models.has(signingName))
      throw new Error(`${signingName}: lab/aws/referee/model.ts names no model for it`);
  }
  const outages = new Outages();
  const front = createFront({
    keys: credentials,
    authorizer,
    usage,
    region,
    // The API is the product's own, and AMP answers as Prometheus does: no model of AWS describes them.
    endpoints: [
      ...endpoints,
      managedPrometheus(template.place, options.workspaces),
      ...(api === undefined ? [] : [api]),
    ],
    unsigned: [agents, customResources],
    referee: new Referee(options.models, options.onViolation),
    reaches: vpcEndpoints(template, options.vpcAddresses),
    onUnreachable: options.onViolation,
    outages,
    nowMs: options.nowMs,
  });
  return {
    front,
    control: createControl({
      ...{
        lambda,
        stepFunctions,
        events,
        scheduler,
        sns,
        sqs,
        cloudWatch,
        dynamoDb,
        ssm,
        instances,
        fis,
        usage,
        outages,
      },
    }),
    operator: credentials.mintUser(operator),
    administrator: credentials.mintUser(administrator),
    credentials,
    api,
    dynamoDb,
    ssm,
    lambda,
    stepFunctions,
    events,
    scheduler,
    sqs,
    sns,
    cloudWatch,
    instances,
    fis,
    usage,
    amp: readAmp(template, (principal) => credentials.mintUser(principal)),
    // What it may do says the policy of the topic.
    alertmanager: credentials.mintUser(userPrincipal(accountId, LAB_USERS.alertmanager, [], [])),
    outages,
    createTables: () => dynamoDb.start(),
    async deploy() {
      await lambda.start();
      await customResources.create();
      events.start();
      scheduler.start();
      cloudWatch.start();
    },
    stop() {
      cloudWatch.stop();
      events.stop();
      scheduler.stop();
      stepFunctions.stop();
      sns.stop();
      lambda.stop();
      ssm.book.stop();
      dynamoDb.stop();
    },
  };
}
