import { describe, expect, it } from 'vitest';
import { configuredClusters } from '../../../functions/domain/clusters.ts';
import { configuration } from './configuration-fixtures.ts';
import { experimentOf, hostFault } from './experiment-fixtures.ts';

const experiment = (...clusters: string[]) =>
  experimentOf(clusters.map((cluster, at) => hostFault(at + 1, 0, cluster)));

describe('the clusters of an experiment', () => {
  it('are each one that this deployment may touch, the first fault’s first', () => {
    const two = configuration({}, { a: { port: 7000 }, b: { port: 7001 } });
    expect(Object.keys(configuredClusters(experiment('b', 'a', 'b'), two))).toEqual(['b', 'a']);
    expect(configuredClusters(experiment('b'), two).b?.port).toBe(7001);
  });

  it('are never looked up by a name that is not configured, also one of a built-in', () => {
    for (const name of ['other', 'toString']) {
      expect(() => configuredClusters(experiment('redis-master', name), configuration())).toThrow(
        `cluster ${name}: not one of redis-master`,
      );
    }
  });
});
