import { autoScalingClient, ec2Client } from '../aws/clients.ts';
import { observeCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { readScalingGroups } from '../aws/scaling-groups.ts';
import { interfacesIn } from '../aws/subnet-interfaces.ts';
import { auditLog } from '../aws/wiring.ts';
import { changedNodes, requireAdmitted } from '../domain/admitted.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { ErrorName, WorkflowError } from '../domain/errors.ts';
import { resolveTargets, subnetsToLookAt } from '../domain/resolve-targets.ts';
import { refuseReplacement, scalingGroupsHit } from '../domain/scaling-groups.ts';
import type { ResolvedFault, ResolvedTargets } from '../domain/targets.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import type { EngineCluster } from '../engines/configuration.ts';
import { telemetryAddresses } from '../telemetry/addresses.ts';

const audit = auditLog();

export async function handler({ experimentId, experiment }: ExperimentRun): Promise<ResolvedTargets> {
  const configuration = loadConfiguration();
  const admitted = requireAdmitted(await audit.read(experimentId), experiment);
  const looks = await Promise.all(
    Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => lookAt(name, cluster)),
  ).catch((error: unknown) => {
    throw new WorkflowError(ErrorName.TargetsUnresolved, String(error), { cause: error });
  });

  async function lookAt(name: string, cluster: EngineCluster) {
    const [observed, exemptAddresses] = await Promise.all([
      observeCluster(cluster, configuration),
      telemetryAddresses(cluster, configuration),
    ]);
    const faults = experiment.faults.filter((fault) => fault.cluster === name);
    const groups = await readScalingGroups(autoScalingClient(), scalingGroupsHit(faults, observed.nodes));
    const replaced = refuseReplacement(faults, observed.nodes, groups);
    if (replaced !== undefined) throw new Error(replaced);
    const interfaces = await interfacesIn(ec2Client(), subnetsToLookAt(faults, observed.nodes));
    const network = { interfaces, ownSubnetIds: configuration.network.subnetIds };
    return { name, faults, ...observed, exemptAddresses, network };
  }

  const resolved = looks.flatMap(({ faults, nodes, topology, exemptAddresses, network }): ResolvedFault[] =>
    resolveTargets(faults, nodes, topology, exemptAddresses, network),
  );
  const targets: ResolvedTargets = {
    // In the order of the payload again.
    faults: experiment.faults.flatMap(({ faultId }) => resolved.filter((fault) => fault.faultId === faultId)),
    exemptAddresses: Object.fromEntries(looks.map(({ name, exemptAddresses }) => [name, exemptAddresses])),
  };
  const changed = changedNodes(admitted.facts.targets, targets.faults);
  if (changed.length > 0) {
    const detail = `since the admission other nodes, or in other places or roles: ${changed.join(', ')}`;
    throw new WorkflowError(ErrorName.TargetsUnresolved, detail);
  }
  await audit.append(experimentId, 'TARGETS_RESOLVED', { function: 'resolve-targets' }, { targets });
  return targets;
}
