import type { Cluster } from './configuration.ts';
import type { Experiment } from './experiment.ts';

/** What of a parsed configuration an experiment's clusters are looked up in. */
export interface Clusters<C extends Cluster> {
  clusters: Readonly<Record<string, C>>;
}

/**
 * The configured clusters of an experiment by name, in the order of its faults.
 * @throws Error when it names one that this deployment may not touch.
 */
export function configuredClusters<C extends Cluster>(
  { faults }: Pick<Experiment, 'faults'>,
  { clusters }: Clusters<C>,
): Record<string, C> {
  const names = [...new Set(faults.map(({ cluster }) => cluster))];
  return Object.fromEntries(names.map((name) => [name, clusterNamed(clusters, name)]));
}

/** @throws Error for a cluster that this deployment may not touch. */
export function clusterNamed<C extends Cluster>(clusters: Clusters<C>['clusters'], name: string): C {
  const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (!cluster) throw new Error(`cluster ${name}: not one of ${Object.keys(clusters).join(', ')}`);
  return cluster;
}
