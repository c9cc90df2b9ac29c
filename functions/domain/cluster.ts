import type { Cluster, Configuration } from './configuration.ts';
import type { Experiment, Fault } from './experiment.ts';

/**
 * The configured clusters of an experiment by name, in the order of its faults: the first one is the probe's.
 * @throws Error when it names one that this deployment may not touch.
 */
export function configuredClusters(
  experiment: Experiment,
  { clusters }: Pick<Configuration, 'clusters'>,
): Record<string, Cluster> {
  const names = [...new Set(experiment.faults.map(({ cluster }) => cluster))];
  return Object.fromEntries(
    names.map((name) => {
      const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
      if (!cluster) throw new Error(`cluster ${name}: not one of ${Object.keys(clusters).join(', ')}`);
      return [name, cluster];
    }),
  );
}

/** The fault that the probe measures. @throws Error for an experiment without faults */
export function firstFault({ faults: [first] }: Pick<Experiment, 'faults'>): Fault {
  if (!first) throw new Error('faults: at least one is required');
  return first;
}
