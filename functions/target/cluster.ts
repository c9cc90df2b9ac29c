import type { Cluster, Configuration } from '../experiment/configuration.ts';
import type { Experiment } from '../experiment/experiment.ts';

/**
 * The configured cluster of an experiment.
 * @throws Error when it names none, several, or one that this deployment may not touch.
 */
export function clusterOf(experiment: Experiment, configuration: Configuration): Cluster {
  const names = [...new Set(experiment.faults.map((fault) => fault.cluster))];
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new Error(`faults: exactly one cluster an experiment, not ${names.length} (${names.join(', ')})`);
  }
  const cluster = Object.hasOwn(configuration.clusters, name) ? configuration.clusters[name] : undefined;
  if (!cluster) throw new Error(`cluster ${name}: not one of ${Object.keys(configuration.clusters).join(', ')}`);
  return cluster;
}
