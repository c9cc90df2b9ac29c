import type { GroupEvents, GroupMember, RecordProducer, TakenRecord } from '../fleet/records.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { createProgress } from './progress.ts';
import type { ReceiptWriter } from './receipts.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface Workers {
  /** For the member that these workers take orders from. */
  events: GroupEvents;
  /** Takes every order and writes a receipt for it; ends when the member's records do. */
  work(member: Pick<GroupMember, 'records'>): Promise<void>;
  /** Says to the group what is finished. @throws Error as the member does */
  commit(member: Pick<GroupMember, 'commit'>): Promise<void>;
}

export interface WorkersParts {
  pool: WorkerPool;
  receipts: RecordProducer;
  writer: ReceiptWriter;
  metrics: ConsumerMetrics;
  nowEpochMs(): number;
}

/**
 * Orders to receipts. While all workers are busy no order is read, so that a slow store makes a lag and no queue. What is
 * finished is committed, a receipt or none: an order is taken again only after a rebalance.
 */
export function createWorkers({ pool, receipts, writer, metrics, nowEpochMs }: WorkersParts): Workers {
  const progress = createProgress();
  let turn = 0;

  async function handle(order: TakenRecord): Promise<void> {
    metrics.observeLag((nowEpochMs() - order.producedAtMs) / 1000);
    const partition = turn++ % receipts.partitions;
    const receipt = { key: order.key, value: order.id };
    metrics.countRecord(await writer.write((signal) => receipts.produce(partition, [receipt], signal)));
    progress.finish(order.partition, order.offset);
  }

  return {
    events: {
      onRebalance: metrics.rebalancing,
      onAssigned({ generation, partitions }) {
        progress.assign(partitions);
        metrics.assigned(generation, partitions.length);
      },
    },
    async work({ records }) {
      for await (const order of records) {
        progress.take(order.partition, order.offset);
        await pool.hand(() => handle(order));
      }
    },
    async commit(member) {
      const positions = progress.positions();
      if (positions.length === 0) return;
      await member.commit(positions);
      progress.committed(positions);
    },
  };
}
