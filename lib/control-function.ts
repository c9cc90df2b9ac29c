import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type IDestination, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/engines/configuration.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { bundle } from './bundle.ts';
import { type Capability, servicesOf } from './capability.ts';

export interface FunctionNetwork {
  vpc: IVpc;
  securityGroup: ISecurityGroup;
}

export interface ControlFunctionProps {
  /** Path below `functions/`, for example `guard/guard.lambda.ts`. */
  entry: string;
  description: string;
  configuration: Pick<Configuration, 'reservesConcurrency'>;
  /** Absolute path of the configuration module that `#configuration` becomes in the bundle. */
  configurationFile: string;
  capabilities: Capability[];
  timeoutSeconds: number;
  memoryMib?: number;
  /** Only for functions that must reach the stores or Prometheus. */
  network?: FunctionNetwork | undefined;
  /** Kept free for this function whatever else runs in the account, if the configuration says so: for everything a rollback needs. */
  reservedConcurrency?: number;
  /** Retries of an asynchronous invocation by the Lambda service, 0 to 2. */
  asyncRetryAttempts?: number;
  /** How long an asynchronous event may wait to be run, 60 s to 6 h; left out: 6 h. */
  asyncMaxAgeSeconds?: number;
  /** Where an event goes that Lambda gave up. */
  onFailure?: IDestination;
}

/** ENI actions of a function in a VPC: Lambda itself checks for them on `*` when the function is created. */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * Every Lambda of the control plane: Node 24 on arm64, one ES module with all of its dependencies inside (so that the
 * tested versions are the running ones), its own role, its own log group.
 */
export class ControlFunction extends LambdaFunction {
  /** Path below `functions/`. */
  readonly entryPoint: string;
  readonly timeLimit: Duration;
  /** What its own code calls; logs, traces and network interfaces are the Lambda service's own affair. */
  readonly services: readonly string[];
  readonly isInVpc: boolean;

  constructor(scope: Construct, id: string, props: ControlFunctionProps) {
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.description,
    });
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const reserved = props.configuration.reservesConcurrency ? props.reservedConcurrency : undefined;
    super(scope, id, {
      code: bundle(
        props.entry,
        props.configurationFile,
        props.capabilities.flatMap(({ files }) => files ?? []),
      ),
      handler: 'index.handler',
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
      tracing: Tracing.ACTIVE,
      memorySize: props.memoryMib ?? 512,
      timeout: Duration.seconds(props.timeoutSeconds),
      retryAttempts: props.asyncRetryAttempts ?? 0,
      ...(props.asyncMaxAgeSeconds === undefined ? {} : { maxEventAge: Duration.seconds(props.asyncMaxAgeSeconds) }),
      ...(props.onFailure ? { onFailure: props.onFailure } : {}),
      environment: Object.assign({}, ...props.capabilities.map((capability) => capability.environment ?? {})),
      ...(props.network ? { vpc: props.network.vpc, securityGroups: [props.network.securityGroup] } : {}),
      ...(reserved === undefined ? {} : { reservedConcurrentExecutions: reserved }),
    });
    this.entryPoint = props.entry;
    this.timeLimit = Duration.seconds(props.timeoutSeconds);
    this.services = servicesOf(props.capabilities);
    this.isInVpc = props.network !== undefined;
    logGroup.grantWrite(role);
    if (props.network) this.addToRolePolicy(new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] }));
    for (const statement of props.capabilities.flatMap((capability) => capability.statements)) {
      this.addToRolePolicy(statement);
    }
    acknowledgeWildcard(
      role,
      '*',
      'Only actions that know no resources: X-Ray, ENIs, EC2 and CloudWatch Describe, SSM GetCommandInvocation; a test holds the list.',
    );
  }
}
