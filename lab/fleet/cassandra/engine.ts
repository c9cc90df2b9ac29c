import type { FleetEngine } from '../engine.ts';
import { shardConnector, trafficOf } from './applications.ts';
import { hostContent } from './configuration.ts';
import { CASSANDRA_ACCOUNT, type CassandraHost, everyHostOf, type Ring } from './hosts.ts';
import { ORDERS, PROBE } from './schema.ts';
import { secretsOf } from './users.ts';

/** Loaded by a lab that has nodes. */
const health = () => import('./health.ts');

/** Cassandra. */
export function cassandraFleet(ring: Ring): FleetEngine {
  const hostNamed = (name: string): CassandraHost => {
    const host = everyHostOf(ring).find((each) => each.name === name);
    if (host === undefined) throw new Error(`${name}: no host of ${ring.cluster}`);
    return host;
  };
  return {
    hosts: everyHostOf(ring),
    setUp: 'cassandra',
    accounts: [CASSANDRA_ACCOUNT],
    traffic: trafficOf(ring),
    contents: async (keys) => (host) => hostContent(hostNamed(host.name), ring, keys),
    secrets: (keys) => secretsOf(ring.cluster, keys),
    readinessSteps: (keys) => [
      { what: `${ring.cluster}: logins`, work: async () => (await health()).waitForLogin(ring, keys) },
      {
        what: `${ring.hosts.length} nodes hear each other; ${ORDERS}, ${PROBE} and their rights`,
        work: async () => {
          const { setUpCluster, waitForRing } = await health();
          // A node that is not heard yet is not told of a schema; it asks for it a minute later.
          await waitForRing(ring, keys);
          await setUpCluster(ring, keys);
        },
      },
    ],
    connectShard: shardConnector(ring),
    coordinates: true,
  };
}
