import { ErrorName, WorkflowError } from '../experiment/errors.ts';
import type { ExperimentRun, ResolvedTargets } from '../experiment/workflow.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { clusterOf } from './cluster.ts';
import { auditLogFromEnv, observeCluster } from './dependencies.ts';
import { resolveTargets } from './resolve-targets.ts';
import { addressesOf } from './telemetry-addresses.ts';

const audit = auditLogFromEnv();

export async function handler(run: ExperimentRun): Promise<ResolvedTargets> {
  const configuration = loadConfiguration();
  const cluster = clusterOf(run.experiment, configuration);
  const [{ nodes, topology }, exemptAddresses] = await Promise.all([
    observeCluster(cluster, configuration),
    addressesOf(cluster.telemetry.prometheusUrl),
  ]).catch((error: unknown) => {
    throw new WorkflowError(ErrorName.TargetsUnresolved, String(error), { cause: error });
  });
  const targets = resolveTargets(run.experiment.faults, nodes, topology, exemptAddresses);
  await audit.append(run.experimentId, 'TARGETS_RESOLVED', { function: 'resolve-targets' }, { targets });
  return targets;
}
