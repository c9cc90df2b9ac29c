import { setTimeout as delay } from 'node:timers/promises';
import { type Consumer, type Message, MessagesStreamFallbackModes, MessagesStreamModes } from '@platformatic/kafka';
import type { GroupEvents, GroupMember, TakenRecord } from '../records.ts';
import { type ClusterAccess, newMember } from './clients.ts';
import { HEADERS } from './producer.ts';

const REJOIN_DELAY_MS = 1_000;

export interface GroupAccess extends ClusterAccess {
  group: string;
  topic: string;
}

type TextConsumer = Consumer<string, string, string, string>;

/**
 * A member of a group, for as long as this process lives. The library's consumer gives up for good when a rejoin or a
 * lookup of offsets has failed too often; then a new one joins.
 */
export function joinGroup({ group, topic, ...access }: GroupAccess, events: GroupEvents): GroupMember {
  let consumer: TextConsumer | undefined;

  async function* records(): AsyncGenerator<TakenRecord> {
    for (;;) {
      const joined = newMember(access, group);
      try {
        yield* recordsOf(joined);
      } catch (error) {
        process.stderr.write(
          `${access.clientId} joins ${group} anew: ${error instanceof Error ? error.stack : error}\n`,
        );
        events.onRebalance();
      } finally {
        consumer = undefined;
        await joined.close(true).catch(() => undefined);
      }
      await delay(REJOIN_DELAY_MS);
    }
  }

  async function* recordsOf(joined: TextConsumer): AsyncGenerator<TakenRecord> {
    joined.on('consumer:group:rebalance', events.onRebalance);
    joined.on('consumer:group:join', ({ generationId = 0, assignments = [] }) => {
      const partitions = assignments.flatMap((assigned) => (assigned.topic === topic ? assigned.partitions : []));
      consumer = joined;
      events.onAssigned({ generation: generationId, partitions });
    });
    const failed = new Promise<never>((_, reject) => joined.once('error', reject));
    failed.catch(() => undefined);
    const stream = await Promise.race([
      joined.consume({
        topics: [topic],
        mode: MessagesStreamModes.COMMITTED,
        fallbackMode: MessagesStreamFallbackModes.EARLIEST,
        highWaterMark: 1,
      }),
      failed,
    ]);
    failed.catch((error) => stream.destroy(error));
    for await (const message of stream) yield taken(message);
  }

  return {
    records: { [Symbol.asyncIterator]: records },
    async commit(positions) {
      if (!consumer?.isActive()) throw new Error(`${access.clientId} is not a member of ${group} now`);
      await consumer.commit({ offsets: positions.map((position) => ({ topic, leaderEpoch: -1, ...position })) });
    },
  };
}

function taken({ key, value, partition, offset, headers }: Message<string, string, string, string>): TakenRecord {
  const producedAtMs = Number(headers.get(HEADERS.producedAtMs));
  return { key, value, partition, offset, id: headers.get(HEADERS.id) ?? '', producedAtMs };
}
