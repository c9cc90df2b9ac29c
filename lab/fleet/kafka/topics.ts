import { KAFKA_HOSTS } from './hosts.ts';

export const ORDERS = 'orders';
export const RECEIPTS = 'receipts';
/** The product's own. */
export const PROBE = 'holdfast-probe';
export const TOPICS = [ORDERS, RECEIPTS, PROBE] as const;
/** Who takes orders and writes receipts. */
export const WORKERS_GROUP = 'orders-workers';

export const MIN_IN_SYNC = 2;

/** Every broker holds every partition, and leads the one of its own number. */
export function assignments(): { partition: number; brokers: number[] }[] {
  return KAFKA_HOSTS.map((_host, partition) => ({
    partition,
    brokers: KAFKA_HOSTS.map((_other, index) => ((partition + index) % KAFKA_HOSTS.length) + 1),
  }));
}
