import { observeCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { auditLog } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/clusters.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { checkTargets } from './check-targets.ts';

const audit = auditLog();

export async function handler(run: ExperimentRun): Promise<void> {
  const configuration = loadConfiguration();
  const clusters = () =>
    Object.entries(configuredClusters(run.experiment, configuration)).map(([name, cluster]) => ({
      name,
      cluster,
      observe: () => observeCluster(cluster, configuration),
    }));
  await checkTargets(run, clusters, audit);
}
