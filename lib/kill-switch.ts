import { CustomResource, Duration } from 'aws-cdk-lib';
import { LambdaIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { switchIdOf } from '../functions/domain/kill-switch.ts';
import { BROKEN_AUDIT_LOGS } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { putBrokenAuditLogs } from './capability.ts';
import { ControlFunction, type ControlFunctionProps } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** What the three functions do not share. */
type OwnProps = 'entry' | 'description' | 'capabilities' | 'reservedConcurrency';

/**
 * The rows of the kill switches exist from deployment on: a host that cannot read `GLOBAL` applies nothing, so its absence
 * must mean "broken", never "not engaged". Created once; a later deployment does not touch them, least of all arms them.
 * Reading, engaging and re-arming are functions of their own: none can do what another one may.
 */
export class KillSwitch extends Construct {
  private readonly context: ControlPlaneContext;

  constructor(scope: Construct, id: string, context: ControlPlaneContext) {
    super(scope, id);
    this.context = context;
    const { configuration, configurationFile, leases, fis } = context;
    const seed = new ControlFunction(this, 'Seed', {
      entry: 'kill-switch/seed-kill-switch.lambda.ts',
      description: 'At deployment: the rows of the kill switches that are not there, and the metric of the heartbeat.',
      configuration,
      configurationFile,
      capabilities: [leases.seedKillSwitches(), fis.heartbeat(), putBrokenAuditLogs(this)],
      timeoutSeconds: FUNCTION_SECONDS.short,
    });
    new CustomResource(this, 'Row', {
      serviceToken: seed.functionArn,
      resourceType: 'Custom::HoldfastKillSwitch',
      serviceTimeout: Duration.minutes(2),
      // What a later deployment adds changes these, without which CloudFormation would not call the function again.
      properties: {
        leaseTable: leases.tableName,
        auditMetric: BROKEN_AUDIT_LOGS.metricName,
        switches: [undefined, ...Object.keys(configuration.clusters)].map(switchIdOf),
      },
    });
  }

  /** `GET`, `POST` and `DELETE …/kill-switch`. */
  addRoutes(api: RestApi): void {
    const { leases, locks, audit, documents, fis, configuration, configurationFile } = this.context;
    const lever = configuration.killSwitch.fisSafetyLever ? [fis.safetyLever()] : [];
    const resource = api.root.resourceForPath('v1/chaos/kill-switch');
    const add = (method: string, name: string, props: Pick<ControlFunctionProps, OwnProps>) => {
      const handler = new ControlFunction(this, name, {
        ...props,
        configuration,
        configurationFile,
        timeoutSeconds: FUNCTION_SECONDS.api,
      });
      resource.addMethod(method, new LambdaIntegration(handler, { allowTestInvoke: false }));
    };
    add('GET', 'GetKillSwitch', {
      entry: 'api/get-kill-switch.lambda.ts',
      description: 'GET: every kill switch, who engaged it and why.',
      capabilities: [leases.read()],
    });
    add('POST', 'EngageKillSwitch', {
      entry: 'api/engage-kill-switch.lambda.ts',
      description: 'POST: ends every fault now. It can engage and nothing else.',
      capabilities: [
        leases.engageKillSwitch(),
        leases.update(),
        locks.list(),
        audit.append(),
        documents.rollBack(),
        ...lever,
      ],
      reservedConcurrency: 2,
    });
    add('DELETE', 'ReArmKillSwitch', {
      entry: 'api/re-arm-kill-switch.lambda.ts',
      description: 'DELETE: lets experiments start again.',
      capabilities: [leases.reArmKillSwitch(), locks.list(), audit.append(), ...lever],
    });
  }
}
