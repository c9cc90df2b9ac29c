import { type ShardStore, StoreTimeout } from '../engine.ts';
import type { RecordProducer } from '../records.ts';

/**
 * Longest wait of a request. Above the 200 ms at which the guard calls writes slow, and above what 500 ms more on one
 * broker make of a write, so that a slow broker shows as latency before it shows as errors.
 */
const DEADLINE_MS = 1_000;

/** One partition: gateways only write to it. */
export function partitionStore(producer: RecordProducer, partition: number): ShardStore {
  return {
    async set(key, value) {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      return await Promise.race([producer.produce(partition, [{ key, value }], deadline), expired(deadline)]);
    },
  };
}

function expired(deadline: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const late = () => reject(new StoreTimeout(new Error(`no answer within ${DEADLINE_MS} ms`)));
    deadline.addEventListener('abort', late, { once: true });
  });
}
