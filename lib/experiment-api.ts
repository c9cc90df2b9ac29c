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
import { ANNOUNCEMENT_SEVERITY } from '../functions/domain/notifications.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { acknowledgeManagedPolicy } from './acknowledge.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { ExperimentStateMachine } from './experiment-state-machine.ts';

/** Experiments are started by people and schedules: more than this is a runaway client. */
const THROTTLING = { throttlingRateLimit: 10, throttlingBurstLimit: 20 };
const STAGE = 'api';

/**
 * `/api/v1/chaos/experiments…`: signed requests only (IAM on every method), from configured principals only, no CORS.
 * The stage carries the first path segment, so the paths are the contract's.
 */
export class ExperimentApi extends Construct {
  readonly restApi: RestApi;
  /** What answers `POST` of an experiment. */
  readonly start: ControlFunction;

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
      policy: onlyPrincipals(context.configuration),
      // An account has one such role for all of its APIs: setting it takes away what others have set.
      cloudWatchRole: setsLogRole,
      ...(setsLogRole ? { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE } : {}),
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
      deployOptions: {
        stageName: STAGE,
        tracingEnabled: true,
        metricsEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        accessLogDestination: new LogGroupLogDestination(accessLogs),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
        ...THROTTLING,
      },
    });
    this.start = this.addRoutes(context, experiment);
    this.acknowledge(setsLogRole);
  }

  private addRoutes(context: ControlPlaneContext, experiment: ExperimentStateMachine): ControlFunction {
    const { leases, audit, reservations, locks, records, configuration, configurationFile } = context;
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

    const starting = [
      context.admission.ask(),
      ...(configuration.notifications.announce ? [context.topics.announce(ANNOUNCEMENT_SEVERITY)] : []),
      locks.take(),
      reservations.reserve(),
      audit.append(),
      leases.read(),
      leases.create(),
      // Releases the lease again when it is not known whether the execution began.
      leases.update(),
      experiment.start(),
    ];
    const start = make('StartExperiment', 'start-experiment', 'POST: admit, reserve, record, start.', starting);
    const approve = make(
      'ApproveExperiment',
      'approve-experiment',
      'POST: admit again what another person asked for, and start it.',
      starting,
    );
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
    route(one.addResource('approve'), 'POST', approve);
    return start;
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
 * Denies whoever is not listed, whatever their own IAM policies say, and allows those listed. Of re-arming the kill switch,
 * which is all that `DELETE` does, the list may be shorter. The denial names no path: API Gateway takes several spellings of
 * one for the same resource (a slash at its end), and IAM does not.
 * `ArnNotLike` also matches a request without a principal, so anonymous requests are denied too.
 */
function onlyPrincipals({ apiPrincipals, killSwitch }: ControlPlaneContext['configuration']): PolicyDocument {
  const statement = (effect: Effect, operator: string, principals: readonly string[], resource = '*') =>
    new PolicyStatement({
      effect,
      principals: [new AnyPrincipal()],
      actions: ['execute-api:Invoke'],
      resources: [`execute-api:/${resource}`],
      conditions: { [operator]: { 'aws:PrincipalArn': principals } },
    });
  const { reArmPrincipals } = killSwitch;
  return new PolicyDocument({
    statements: [
      statement(Effect.DENY, 'ArnNotLike', apiPrincipals),
      ...(reArmPrincipals ? [statement(Effect.DENY, 'ArnNotLike', reArmPrincipals, `${STAGE}/DELETE/*`)] : []),
      statement(Effect.ALLOW, 'ArnLike', apiPrincipals),
    ],
  });
}
