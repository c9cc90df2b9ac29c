import { metadataV12 } from '@platformatic/kafka';
import type { Clock } from '../../domain/clock.ts';
import type { TargetNode } from '../../domain/targets.ts';
import { withDeadline } from '../../domain/with-deadline.ts';
import { addressesOfName } from '../../runtime/addresses-of-name.ts';
import { BrokerRefusal, type OpenBroker, type openBroker } from './connection.ts';
import type { Look } from './leadership.ts';
import { partitionView } from './partition-view.ts';

/** To connect and to answer. */
const ANSWER_WITHIN_MS = 1000;
/** Whoever did not answer is asked last for so long. */
const ASKED_LAST_MS = 2000;

/** One partition, and how the nodes that have a part in it are reached. */
export interface Partition {
  topic: string;
  partition: number;
  /** In the order in which they are asked: those last that a fault hits, because one that is cut off has old metadata. */
  members: readonly TargetNode[];
  /** @throws Error as `openBroker` */
  open(node: TargetNode, limits?: Parameters<typeof openBroker>[1]): Promise<OpenBroker>;
  clock: Clock;
}

/** Asks the partition's nodes about it. */
export class PartitionSource {
  readonly #partition: Partition;
  readonly #connections = new Map<string, Promise<OpenBroker>>();
  readonly #failedAtMs = new Map<string, number>();
  /** Everybody who was ever known: a fenced broker has no address in metadata. */
  readonly #nodes = new Map<number, TargetNode>();
  #latest: Look | undefined;

  constructor(partition: Partition) {
    this.#partition = partition;
  }

  /** The last answer, whoever asked. */
  get latest(): Look | undefined {
    return this.#latest;
  }

  /** Undefined for a broker that is no member of the partition: credentials go to nobody else. */
  nodeOf(broker: number | undefined): TargetNode | undefined {
    return broker === undefined ? undefined : this.#nodes.get(broker);
  }

  nameOf(broker: number): string {
    return this.#nodes.get(broker)?.name ?? `broker ${broker}`;
  }

  /** @throws Error of the last node when none answers */
  async ask(): Promise<Look> {
    const { members, clock } = this.#partition;
    const hasFailed = ({ name }: TargetNode) =>
      Number(clock.monotonicMs() - (this.#failedAtMs.get(name) ?? -Infinity) < ASKED_LAST_MS);
    let last: unknown = new Error(`${this.#partition.topic}: nobody has a part in it`);
    for (const node of [...members].sort((one, other) => hasFailed(one) - hasFailed(other))) {
      try {
        return await this.#askOne(node);
      } catch (error) {
        this.#failedAtMs.set(node.name, clock.monotonicMs());
        last = error;
      }
    }
    throw last;
  }

  close(): void {
    for (const name of this.#connections.keys()) this.#hangUp(name);
  }

  async #askOne(node: TargetNode): Promise<Look> {
    const { topic, partition, clock } = this.#partition;
    const askedMs = clock.monotonicMs();
    try {
      const response = await withDeadline(this.#metadataOf(node), clock, ANSWER_WITHIN_MS);
      const view = partitionView(response, topic, partition);
      const look = { ...view, by: node.name, askedMs, heardMs: clock.monotonicMs() };
      await Promise.all(look.brokers.map((broker) => this.#learn(broker)));
      this.#latest = look;
      return look;
    } catch (error) {
      this.#hangUp(node.name);
      throw error;
    }
  }

  async #metadataOf(node: TargetNode): Promise<metadataV12.MetadataResponse> {
    const open = this.#connections.get(node.name) ?? this.#partition.open(node);
    this.#connections.set(node.name, open);
    const { ask } = await open;
    try {
      return await ask(metadataV12.api, [this.#partition.topic], false, false);
    } catch (error) {
      // Of a partition without a leader the answer is whole all the same.
      const isWhole = error instanceof BrokerRefusal && error.codes.every((code) => code === 'LEADER_NOT_AVAILABLE');
      if (isWhole && error.response !== undefined) return error.response as metadataV12.MetadataResponse;
      throw error;
    }
  }

  async #learn({ nodeId, host, port }: metadataV12.MetadataResponseBroker): Promise<void> {
    if (this.#nodes.has(nodeId)) return;
    const addresses = await addressesOfName(host);
    const node = this.#partition.members.find(
      (member) => member.port === port && member.addresses.some((address) => addresses.includes(address)),
    );
    if (node) this.#nodes.set(nodeId, node);
  }

  #hangUp(name: string): void {
    const open = this.#connections.get(name);
    this.#connections.delete(name);
    open?.then(
      ({ hangUp }) => hangUp(),
      () => {},
    );
  }
}
