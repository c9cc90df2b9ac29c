import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { AnyPrincipal, Effect, ManagedPolicy, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { acknowledgeManagedPolicy } from './acknowledge.ts';
import { describeScalingGroups } from './capability.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { ExperimentStateMachine } from './experiment-state-machine.ts';

/** Experiments are started by people and schedules: more than this is a runaway client. */
const THROTTLING = { throttlingRateLimit: 10, throttlingBurstLimit: 20 };

/**
 * `/api/v1/chaos/experiments…`: signed requests only (IAM on every method), from configured principals only, no CORS.
 * The stage carries the first path segment, so the paths are the contract's.
 */
export class ExperimentApi extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, context: ControlPlaneContext, experiment: ExperimentStateMachine) {
    super(scope, id);
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const setsLogRole = context.configuration.setApiGatewayLogRole;
    this.restApi = new RestApi(this, 'RestApi', {
      restApiName: 'Holdfast',
      description: 'Holdfast: experiments.',
      endpointTypes: [EndpointType.REGIONAL],
      policy: onlyPrincipals(context.configuration.apiPrincipals),
      // An account has one such role for all of its APIs: setting it takes away what others have set.
      cloudWatchRole: setsLogRole,
      ...(setsLogRole ? { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE } : {}),
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
      deployOptions: {
        stageName: 'api',
        tracingEnabled: true,
        metricsEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        accessLogDestination: new LogGroupLogDestination(accessLogs),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
        ...THROTTLING,
      },
    });
    this.addRoutes(context, experiment);
    this.acknowledge(setsLogRole);
  }

  private addRoutes(context: ControlPlaneContext, experiment: ExperimentStateMachine): void {
    const { leases, audit, reservations, locks, records, stores, instances, fis, configuration, configurationFile } =
      context;
    const make = (
      name: string,
      route: string,
      description: string,
      capabilities: ConstructorParameters<typeof ControlFunction>[2]['capabilities'],
      own: { reservedConcurrency?: number } = {},
    ) =>
      new ControlFunction(this, name, {
        entry: `api/${route}.lambda.ts`,
        description,
        configuration,
        configurationFile,
        capabilities,
        timeoutSeconds: FUNCTION_SECONDS.api,
        ...own,
      });

    // Admission asks the stores themselves, so it stands in the VPC; the API's own functions need not.
    const admit = new ControlFunction(this, 'Admit', {
      entry: 'admission/admit.lambda.ts',
      description: 'Ordered refusals, blast radius and the worst case.',
      configuration,
      configurationFile,
      capabilities: [
        leases.read(),
        locks.list(),
        stores,
        instances,
        context.alarms,
        fis.look(),
        fis.lookAround(),
        describeScalingGroups(),
        // Only the names of the documents, to say what would run; admission sends nothing.
        { statements: [], environment: { [ENVIRONMENT.documentPrefix]: context.documents.prefix } },
      ],
      timeoutSeconds: FUNCTION_SECONDS.admit,
      network: context.network,
    });
    const askAdmission = {
      statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [admit.functionArn] })],
      environment: { [ENVIRONMENT.admitFunction]: admit.functionName },
    };

    const start = make('StartExperiment', 'start-experiment', 'POST: admit, reserve, record, start.', [
      askAdmission,
      locks.take(),
      reservations.reserve(),
      audit.append(),
      leases.read(),
      leases.create(),
      // Releases the lease again when it is not known whether the execution began.
      leases.update(),
      experiment.start(),
    ]);
    const list = make('ListExperiments', 'list-experiments', 'GET by cluster and fault.', [records.list()]);
    const get = make('GetExperiment', 'get-experiment', 'GET: record and evidence.', [audit.read(), leases.read()]);
    const getStatus = make('GetExperimentStatus', 'get-experiment-status', 'GET: live status.', [
      audit.read(),
      leases.read(),
    ]);
    const abort = make(
      'AbortExperiment',
      'abort-experiment',
      'POST: release the lease; hosts revert within a poll.',
      [reservations.find(), audit.append(), leases.read(), leases.update()],
      { reservedConcurrency: 5 },
    );

    const collection = this.restApi.root.addResource('v1').addResource('chaos').addResource('experiments');
    const one = collection.addResource('{experimentId}');
    route(collection, 'POST', start);
    route(collection, 'GET', list);
    route(one, 'GET', get);
    route(one.addResource('status'), 'GET', getStatus);
    route(one.addResource('abort'), 'POST', abort);
  }

  private acknowledge(setsLogRole: boolean): void {
    Validations.of(this.restApi).acknowledge(
      {
        id: 'AwsSolutions-APIG2',
        reason:
          'The functions parse every request and answer with field paths and allowed values, which a model cannot.',
      },
      {
        id: 'AwsSolutions-APIG3',
        reason: 'Only signed requests of listed principals reach a function; there is no anonymous traffic to filter.',
      },
      {
        id: 'AwsSolutions-COG4',
        reason: 'Callers are IAM principals: the audit log names them from the signature. There is no user pool.',
      },
    );
    if (!setsLogRole) return;
    acknowledgeManagedPolicy(
      this,
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs').managedPolicyArn,
      'The account-wide role that API Gateway demands before any API may log; AWS documents this policy for it.',
    );
  }
}

function route(resource: IResource, method: string, handler: ControlFunction): void {
  resource.addMethod(method, new LambdaIntegration(handler, { allowTestInvoke: false }));
}

/**
 * Denies whoever is not listed, whatever their own IAM policies say, and allows those listed.
 * `ArnNotLike` also matches a request without a principal, so anonymous requests are denied too.
 */
function onlyPrincipals(principals: readonly string[]): PolicyDocument {
  const resources = ['execute-api:/*'];
  const statement = (effect: Effect, operator: string) =>
    new PolicyStatement({
      effect,
      principals: [new AnyPrincipal()],
      actions: ['execute-api:Invoke'],
      resources,
      conditions: { [operator]: { 'aws:PrincipalArn': principals } },
    });
  return new PolicyDocument({
    statements: [statement(Effect.DENY, 'ArnNotLike'), statement(Effect.ALLOW, 'ArnLike')],
  });
}
