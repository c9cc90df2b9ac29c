import { autoScalingClient } from '../aws/clients.ts';
import { observeCluster } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { readScalingGroups } from '../aws/scaling-groups.ts';
import { auditLog } from '../aws/wiring.ts';
import { configuredClusters } from '../domain/clusters.ts';
import { refuseReplacement, scalingGroupsHit, withoutTerminated } from '../domain/scaling-groups.ts';
import type { ExperimentRun } from '../domain/workflow.ts';
import { engineOf } from '../engines/registry.ts';
import { checkTargets, type SeenCluster } from './check-targets.ts';

const audit = auditLog();

export async function handler(run: ExperimentRun): Promise<void> {
  const configuration = loadConfiguration();
  const clusters = () =>
    Object.entries(configuredClusters(run.experiment, configuration)).map(
      ([name, cluster]): SeenCluster => ({
        name,
        cluster,
        observe: async (injected) => {
          const observed = await observeCluster(cluster, configuration);
          const own = run.experiment.faults.filter((fault) => fault.cluster === name);
          const faults = withoutTerminated(own, injected);
          const groups = await readScalingGroups(autoScalingClient(), scalingGroupsHit(faults, observed.nodes));
          return {
            ...observed,
            replaced: refuseReplacement(faults, observed.nodes, groups, engineOf(cluster).minHealthCheckGraceSeconds),
          };
        },
      }),
    );
  await checkTargets(run, clusters, audit);
}
