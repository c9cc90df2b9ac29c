import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoreTimeout } from '../../../../lab/fleet/engine.ts';
import { partitionStore } from '../../../../lab/fleet/kafka/shard-client.ts';
import type { RecordProducer } from '../../../../lab/fleet/records.ts';

const produce = vi.fn<RecordProducer['produce']>();
const store = partitionStore({ partitions: 3, produce }, 2);

beforeEach(() => void produce.mockReset());
afterEach(() => void vi.useRealTimers());

test('a partition is written to and never read, and says which node took the record', async () => {
  produce.mockResolvedValue('kafka-node-3');
  expect(await store.set('k', 'v')).toBe('kafka-node-3');
  expect(produce).toHaveBeenCalledWith(2, [{ key: 'k', value: 'v' }], expect.anything());
  expect(store.get).toBeUndefined();
});

test('a request without an answer ends at its own deadline, and is not sent after it', async () => {
  produce.mockReturnValue(new Promise(() => undefined));
  const startedMs = performance.now();
  await expect(store.set('k', 'v')).rejects.toBeInstanceOf(StoreTimeout);
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThan(900);
  expect(tookMs).toBeLessThan(2_000);
  expect(produce.mock.calls[0]?.[2]?.aborted).toBe(true);
});

test('a refusal is told as it is, and not as a time-out', async () => {
  produce.mockRejectedValue(new Error('no leader'));
  await expect(store.set('k', 'v')).rejects.toThrow('no leader');
  await expect(store.set('k', 'v')).rejects.not.toBeInstanceOf(StoreTimeout);
});
