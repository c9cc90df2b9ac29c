import type { Cluster } from '../experiment/configuration.ts';
import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import type { ExperimentRun, ResolvedFault, ResolvedTargets } from '../experiment/workflow.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { configuredClusters } from './cluster.ts';
import { auditLogFromEnv, observeCluster } from './dependencies.ts';
import { resolveTargets } from './resolve-targets.ts';
import { addressesOf } from './telemetry-addresses.ts';

const audit = auditLogFromEnv();

export async function handler({ experimentId, experiment }: ExperimentRun): Promise<ResolvedTargets> {
  const configuration = loadConfiguration();
  const looks = await Promise.all(
    Object.entries(configuredClusters(experiment, configuration)).map(([name, cluster]) => lookAt(name, cluster)),
  ).catch((error: unknown) => {
    throw new WorkflowError(ErrorName.TargetsUnresolved, String(error), { cause: error });
  });

  async function lookAt(name: string, cluster: Cluster) {
    const [observed, exemptAddresses] = await Promise.all([
      observeCluster(cluster, configuration),
      addressesOf(cluster.telemetry.prometheusUrl),
    ]);
    return { name, ...observed, exemptAddresses };
  }

  const resolved = looks.flatMap(({ name, nodes, topology, exemptAddresses }): ResolvedFault[] => {
    const faults = experiment.faults.filter(({ cluster }) => cluster === name);
    return resolveTargets(faults, nodes, topology, exemptAddresses);
  });
  const targets: ResolvedTargets = {
    // In the order of the payload again.
    faults: experiment.faults.flatMap(({ faultId }) => resolved.filter((fault) => fault.faultId === faultId)),
    exemptAddresses: Object.fromEntries(looks.map(({ name, exemptAddresses }) => [name, exemptAddresses])),
  };
  await audit.append(experimentId, 'TARGETS_RESOLVED', { function: 'resolve-targets' }, { targets });
  return targets;
}
