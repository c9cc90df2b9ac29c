import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Cluster } from '../functions/domain/configuration.ts';
import { ENVIRONMENT } from '../functions/domain/names.ts';
import { FUNCTION_SECONDS } from '../functions/domain/timing.ts';
import { type Capability, describeScalingGroups, readChangeCalendars } from './capability.ts';
import { ControlFunction } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** How runs on other clusters ended; nothing where no cluster comes after another. */
export function lookAtCanaries(
  clusters: readonly Pick<Cluster, 'canaryFirst'>[],
  { records, audit }: Pick<ControlPlaneContext, 'records' | 'audit'>,
): Capability[] {
  return clusters.some(({ canaryFirst }) => canaryFirst !== undefined) ? [records.list(), audit.read()] : [];
}

/** Asks the stores themselves, so it stands in the VPC; whoever wants an answer invokes it, and need not. */
export class Admission extends Construct {
  private readonly admit: ControlFunction;

  constructor(scope: Construct, id: string, context: Omit<ControlPlaneContext, 'admission'>) {
    super(scope, id);
    const { configuration, configurationFile, leases, locks, stores, instances, alarms, fis } = context;
    const clusters = Object.values(configuration.clusters);
    const { telemetry, alertingRules } = context;
    this.admit = new ControlFunction(this, 'Admit', {
      entry: 'admission/admit.lambda.ts',
      description: 'Ordered refusals, blast radius and the worst case.',
      configuration,
      configurationFile,
      capabilities: [
        leases.read(),
        locks.list(),
        stores,
        telemetry,
        alertingRules,
        instances,
        alarms,
        fis.look(),
        fis.lookAround(),
        describeScalingGroups(),
        readChangeCalendars(this, clusters),
        ...lookAtCanaries(clusters, context),
        // Only the names of the documents, to say what would run; admission sends nothing.
        { statements: [], environment: { [ENVIRONMENT.documentPrefix]: context.documents.prefix } },
      ],
      timeoutSeconds: FUNCTION_SECONDS.admit,
      network: context.network,
    });
  }

  /** Ask whether an experiment may start now. */
  ask(): Capability {
    return {
      statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.admit.functionArn] })],
      environment: { [ENVIRONMENT.admitFunction]: this.admit.functionName },
    };
  }
}
