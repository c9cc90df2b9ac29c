import type { FleetEngine } from '../engine.ts';
import { connectShard, records, traffic } from './applications.ts';
import { hostContent } from './configuration.ts';
import { formatLogDirectories } from './format.ts';
import { hostsOf, KAFKA_ACCOUNT, KAFKA_HOSTS } from './hosts.ts';
import { TOPICS } from './topics.ts';
import { secretsOf } from './users.ts';

/** Below the lab's private /run: gone with the lab. */
const PLACE = '/run';

/** Loaded by a lab that has brokers: the client library costs the others half a second of processor time and 55 MB. */
const health = () => import('./health.ts');

/** Kafka with KRaft. */
export function kafkaFleet(cluster: string): FleetEngine {
  return {
    hosts: hostsOf(cluster),
    setUp: 'kafka',
    accounts: [KAFKA_ACCOUNT],
    traffic,
    contents: async (keys) => {
      const formatted = await formatLogDirectories(keys, PLACE);
      return (host) => hostContent(host, keys, formatted[host.name] ?? {});
    },
    secrets: (keys) => secretsOf(cluster, keys),
    readinessSteps: (keys) => [
      { what: `${KAFKA_HOSTS.length} brokers registered`, work: async () => (await health()).waitForBrokers(keys) },
      { what: `${TOPICS.join(', ')} and their rights`, work: async () => (await health()).setUpCluster(keys) },
      { what: 'every replica in sync', work: async () => (await health()).waitForReplication(keys) },
    ],
    connectShard,
    records,
  };
}
