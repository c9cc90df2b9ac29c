import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/**
 * The `GLOBAL` row exists from deployment on: a host that cannot read it applies nothing, so its absence must mean
 * "broken", never "not engaged". Created once; a later deployment does not touch it, least of all release it.
 */
export class KillSwitch extends Construct {
  constructor(scope: Construct, id: string, context: ControlPlaneContext) {
    super(scope, id);
    const seed = new ControlFunction(this, 'Seed', {
      entry: 'kill-switch/seed-kill-switch.lambda.ts',
      description: 'At deployment: the row of the kill switch, if it is not there, and the metric of the heartbeat.',
      configuration: context.configuration,
      configurationFile: context.configurationFile,
      capabilities: [context.leases.seedKillSwitch(), context.fis.heartbeat()],
      timeoutSeconds: FUNCTION_SECONDS.short,
    });
    new CustomResource(this, 'Row', {
      serviceToken: seed.functionArn,
      resourceType: 'Custom::HoldfastKillSwitch',
      serviceTimeout: Duration.minutes(2),
      // A cluster that a later deployment adds has a metric of its own.
      properties: { leaseTable: context.leases.tableName, clusters: Object.keys(context.configuration.clusters) },
    });
  }
}
