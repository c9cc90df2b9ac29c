import { autoScalingClient, ec2Client } from '../aws/clients.ts';
import { observeCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { readScalingGroups } from '../aws/scaling-groups.ts';
import { interfacesIn } from '../aws/subnet-interfaces.ts';
import { auditLog } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { subnetsToLookAt } from '../domain/resolve-targets.ts';
import { refuseReplacement, scalingGroupsHit } from '../domain/scaling-groups.ts';
import type { ResolvedTargets } from '../domain/targets.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import { engineOf } from '../engines/registry.ts';
import { telemetryAddresses } from '../telemetry/addresses.ts';
import { type ClusterLook, resolveRun } from './resolve-run.ts';

const audit = auditLog();

export async function handler(run: ExperimentRun): Promise<ResolvedTargets> {
  const configuration = loadConfiguration();
  const { experiment } = run;

  async function lookAt(name: string, cluster: EngineCluster): Promise<ClusterLook> {
    const [observed, exemptAddresses] = await Promise.all([
      observeCluster(cluster, configuration),
      telemetryAddresses(cluster, configuration),
    ]);
    const faults = experiment.faults.filter((fault) => fault.cluster === name);
    const groups = await readScalingGroups(autoScalingClient(), scalingGroupsHit(faults, observed.nodes));
    const replaced = refuseReplacement(faults, observed.nodes, groups, engineOf(cluster).minHealthCheckGraceSeconds);
    if (replaced !== undefined) throw new Error(replaced);
    const interfaces = await interfacesIn(ec2Client(), subnetsToLookAt(faults, observed.nodes));
    const network = { interfaces, ownSubnetIds: configuration.network.subnetIds };
    return { name, faults, ...observed, exemptAddresses, network, fences: engineOf(cluster).fences };
  }

  const look = () =>
    Promise.all(
      Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => lookAt(name, cluster)),
    );
  return resolveRun(run, look, audit);
}
