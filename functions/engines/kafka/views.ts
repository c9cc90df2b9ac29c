/** What one broker says, in its own ids. Brokers are told apart by id here, and by node everywhere else. */

export interface AnnouncedBroker {
  id: number;
  /** As it announces itself on the clients' listener. */
  host: string;
  /** Of `host`, as seen from inside the VPC. */
  addresses: readonly string[];
  port: number;
  /** The controller takes it for dead, or not yet for alive. */
  isFenced: boolean;
}

export interface PartitionView {
  topic: string;
  index: number;
  /** -1: nobody. */
  leader: number;
  /** Counts the leaders that there were: a higher one is newer. */
  leaderEpoch: number;
  replicas: readonly number[];
  inSync: readonly number[];
}

export interface QuorumView {
  /** -1: nobody. */
  leader: number;
  epoch: number;
  voters: readonly { id: number; silentMs: number }[];
}

export interface TopicSettings {
  minInSync: number;
  allowsUncleanLeaders: boolean;
  /** Whether a throttle of replication would hold for it. */
  isThrottled: boolean;
}

export interface BrokerAnswer {
  node: string;
  brokers: readonly AnnouncedBroker[];
  partitions: readonly PartitionView[];
  /** What the controller says to this broker, or why it says nothing. */
  quorum: QuorumView | { problem: string };
  /** Partitions that the controller is moving, by name; as this broker was told. */
  reassigned: readonly string[];
  /** `error`: why nothing can be read or written there. */
  logDirectories: readonly { path: string; error?: string }[];
  /** Topics of which it stores anything: also those that we may not see. */
  storedTopics: readonly string[];
  /** Of the topics that it replicates. */
  topicSettings: ReadonlyMap<string, TopicSettings>;
  /** Its own settings, as far as they are set. */
  settings: Readonly<Record<string, string>>;
  /** Groups that it coordinates → their state. */
  groups: ReadonlyMap<string, string>;
  /** What it did not tell, and why. */
  problems: readonly string[];
}

/** What the broker of one node says, or why it says nothing. */
export type BrokerView = BrokerAnswer | { node: string; problem: string };

/** As Kafka's own tools write it. */
export function partitionName({ topic, index }: Pick<PartitionView, 'topic' | 'index'>): string {
  return `${topic}-${index}`;
}
