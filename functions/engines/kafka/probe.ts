import type { ProbeChoices } from '../../domain/experiment.ts';
import type { ProbedShard } from '../../domain/probed-shards.ts';
import { accountOf } from '../../domain/record-account.ts';
import type { FailoverNews } from '../../domain/recovery-phases.ts';
import type { TargetNode } from '../../domain/targets.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { LogProbe, StoreAccess } from '../engine.ts';
import { kafkaAccess } from './access.ts';
import type { KafkaCluster } from './configuration.ts';
import { BrokerRefusal, openBroker } from './connection.ts';
import type { KAFKA_HEALTH } from './engine.ts';
import { ANY_EPOCH, fetch } from './fetch.ts';
import { Leadership, type Look } from './leadership.ts';
import { type Partition, PartitionSource } from './partition-source.ts';
import { fencedReplicas } from './partition-view.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { readBack } from './read-back.ts';
import { RecordConsumer } from './record-consumer.ts';
import { RecordWriter } from './record-writer.ts';

const ACKS = { all: -1, '1': 1 } as const;
/** How often the brokers are asked who leads: so late may news of a failover be. */
const WATCH_INTERVAL_MS = 200;
/** A health that is older is none. */
const HEALTH_MAX_AGE_MS = 1000;
/** A record that takes longer to be consumed was not read. */
const READ_DEADLINE_MS = 1000;

export interface KafkaProbeOptions extends ProbedShard {
  cluster: KafkaCluster;
  access: StoreAccess;
  choices: ProbeChoices;
}

/** A producer and a consumer of one partition of the probe's topic, as an application should be configured. */
export function kafkaProbe(options: KafkaProbeOptions): LogProbe {
  const { shard, members, impacted, cluster } = options;
  const { probeTopic: topic } = cluster.kafka;
  const access = kafkaAccess(cluster, options.access);
  const isImpacted = (node: TargetNode) => impacted.some(({ name }) => name === node.name);
  const partition: Partition = {
    ...{ topic, partition: Number(shard.slice(topic.length + 1)), clock: systemClock },
    members: [...members].sort((one, other) => Number(isImpacted(one)) - Number(isImpacted(other))),
    open: (node, limits) =>
      openBroker({ addresses: node.addresses, port: node.port, tls: access.tlsTo(node), sasl: access.sasl }, limits),
  };
  const source = new PartitionSource(partition);
  const quorum = new QuorumWatch(partition);
  const leadership = new Leadership((broker) => source.nameOf(broker));
  const writer = new RecordWriter(partition, source, ACKS[options.choices.acks ?? 'all']);
  const consumer = new RecordConsumer(partition, source, consume);
  /** Values by key, of everything that was consumed. */
  const consumed = new Map<string, string>();
  const waiting = new Map<string, Set<(value: string) => void>>();
  let follower = (_key: string) => {};
  let tell = (_news: FailoverNews) => {};
  let complain = (_problem: string) => {};
  let firstOffset = 0;
  let isClosed = false;

  function consume(key: string, value: string): void {
    if (!writer.sent.has(key) || consumed.has(key)) return;
    consumed.set(key, value);
    for (const answer of waiting.get(key) ?? []) answer(value);
    follower(key);
  }

  async function watch(): Promise<void> {
    let refused: string | undefined;
    while (!isClosed) {
      const lookedMs = systemClock.monotonicMs();
      try {
        for (const news of leadership.news(await source.ask())) tell(news);
      } catch (error) {
        // One that does not answer is for others to tell; one that answers and may not say it is not heard of again.
        if (error instanceof BrokerRefusal && refused !== error.message)
          complain(`metadata of ${topic}: ${error.message}`);
        if (error instanceof BrokerRefusal) refused = error.message;
      }
      await systemClock.sleep(Math.max(1, WATCH_INTERVAL_MS - (systemClock.monotonicMs() - lookedMs)));
    }
  }

  function fresh(): Look | undefined {
    const { latest } = source;
    return latest && systemClock.monotonicMs() - latest.heardMs < HEALTH_MAX_AGE_MS ? latest : undefined;
  }

  /** Followers answer too, with what the leader has told them that every replica in sync has. */
  async function isOn(node: TargetNode, key: string, value: string): Promise<boolean> {
    const { latest } = source;
    const offset = writer.sent.get(key)?.acknowledged?.offset;
    if (!latest || offset === undefined) return false;
    const broker = await partition.open(node);
    try {
      const { records } = await fetch(broker, partition, latest, { offset, epoch: ANY_EPOCH, maxWaitMs: 0 });
      return records.some((record) => record.offset === offset && record.key === key && record.value === value);
    } finally {
      broker.hangUp();
    }
  }

  return {
    shard,
    async connect() {
      leadership.news(await source.ask());
      void watch();
      void quorum.run((problem) => complain(problem));
      [firstOffset] = await Promise.all([consumer.connect(), writer.connect()]);
    },
    write: (key, value) => writer.write(key, value),
    async read(key) {
      const known = consumed.get(key);
      if (known !== undefined) return known;
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      const answers = waiting.get(key) ?? new Set();
      waiting.set(key, answers.add(resolve));
      const timer = setTimeout(() => resolve(undefined), READ_DEADLINE_MS);
      return promise.finally(() => {
        clearTimeout(timer);
        answers.delete(resolve);
        if (answers.size === 0) waiting.delete(key);
      });
    },
    async isOnImpacted(key, value) {
      const found = await Promise.all(impacted.map((node) => isOn(node, key, value)));
      return found.length > 0 && found.every((isThere) => isThere);
    },
    leader: async () => source.nodeOf(fresh()?.leader)?.name,
    async health(): Promise<Partial<Record<keyof typeof KAFKA_HEALTH, number>>> {
      const look = fresh();
      if (!look) return {};
      const followers = look.inSync.filter((broker) => broker !== look.leader).length;
      const { activeControllers } = quorum;
      return {
        ...(activeControllers === undefined ? {} : { activeControllers }),
        ...(look.leader === undefined ? {} : { inSyncFollowers: followers }),
        ...{ leaderChanges: leadership.changes, fencedBrokers: fencedReplicas(look).length },
      };
    },
    copiesMeasure: 'inSyncFollowers',
    listen(toTell, toComplain) {
      tell = toTell;
      complain = toComplain;
    },
    follow(toTell) {
      follower = toTell;
    },
    async account() {
      const found = await readBack(partition, source, writer.sent, firstOffset);
      return accountOf([...writer.sent.values()], found, systemClock.nowEpochMs() - systemClock.monotonicMs());
    },
    close() {
      isClosed = true;
      for (const part of [writer, consumer, source, quorum]) part.close();
    },
  };
}
