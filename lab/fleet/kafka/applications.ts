import type { FleetEngine, StoreKeys, TrafficShare } from '../engine.ts';
import type { RecordClients, Topic } from '../records.ts';
import { APPLICATION, CLIENT } from '../store-keys.ts';
import type { ClusterAccess } from './clients.ts';
import { announcedAs, CLIENT_PORT, KAFKA_HOSTS } from './hosts.ts';
import { assignments, ORDERS, RECEIPTS, WORKERS_GROUP } from './topics.ts';

/**
 * What the lab's applications do with the cluster. The clients are loaded by who uses one: the library costs half a second
 * of processor time and 55 MB.
 */

const TOPICS: Readonly<Record<Topic, string>> = { orders: ORDERS, receipts: RECEIPTS };
const PARTITIONS = assignments().length;
const PARTITION = new RegExp(`^${ORDERS}-(\\d+)$`);

/** One canary for all of them: a dead broker holds up every partition until it is out of sync. */
export const traffic: TrafficShare = {
  busy: [],
  canaries: [{ shards: assignments().map(({ partition }) => `${ORDERS}-${partition}`), writeOnly: true }],
};

function accessOf(clientId: string, keys: StoreKeys): ClusterAccess {
  return {
    clientId,
    brokers: KAFKA_HOSTS.map((host) => ({ host: announcedAs(host), port: CLIENT_PORT })),
    tls: { ca: keys.certificate(CLIENT).ca },
    sasl: { mechanism: 'SCRAM-SHA-512', ...keys.user(APPLICATION) },
  };
}

function nodeAnnouncedAs(host: string): string {
  return KAFKA_HOSTS.find((each) => announcedAs(each) === host)?.name ?? host;
}

export const records: RecordClients = {
  async connectProducer(topic, keys) {
    const { connectProducer } = await import('./producer.ts');
    const access = accessOf(`lab-${topic}`, keys);
    return connectProducer({ ...access, topic: TOPICS[topic], partitions: PARTITIONS, nodeAnnouncedAs });
  },
  async joinWorkers(name, keys, events) {
    const { joinGroup } = await import('./group-member.ts');
    return joinGroup({ ...accessOf(name, keys), group: WORKERS_GROUP, topic: ORDERS }, events);
  },
};

/** One producer for all partitions of a process, as an application has it. */
const producers = new Map<StoreKeys, ReturnType<RecordClients['connectProducer']>>();

export const connectShard: FleetEngine['connectShard'] = async (shard, keys) => {
  const partition = PARTITION.exec(shard)?.[1];
  if (partition === undefined) throw new Error(`${shard}: no partition of ${ORDERS}`);
  const producer = producers.get(keys) ?? records.connectProducer('orders', keys);
  producers.set(keys, producer);
  const { partitionStore } = await import('./shard-client.ts');
  return partitionStore(await producer, Number(partition));
};
