/** More in one request would be too large for a broker to take. */
const MAX_BATCH = 500;

interface Waiting<Item, Answer> {
  items: readonly Item[];
  signal: AbortSignal | undefined;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * One request a partition at a time, with all that came while the last one was under way. A broker reads the next request
 * of a connection when it has answered the one before: one record a request would be as many a second as there are
 * answers. And a retry changes no order.
 * @returns what takes items, and answers when their request is answered. What its signal gives up before is not sent.
 */
export function inBatches<Item, Answer>(
  send: (partition: number, items: readonly Item[]) => Promise<Answer>,
): (partition: number, items: readonly Item[], signal?: AbortSignal) => Promise<Answer> {
  const queues = new Map<number, Waiting<Item, Answer>[]>();

  async function drain(partition: number, queue: Waiting<Item, Answer>[]): Promise<void> {
    for (let batch = takeBatch(queue); batch.length > 0; batch = takeBatch(queue)) {
      const items = batch.flatMap((waiting) => waiting.items);
      try {
        const answer = await send(partition, items);
        for (const { resolve } of batch) resolve(answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    queues.delete(partition);
  }

  return (partition, items, signal) =>
    new Promise((resolve, reject) => {
      const waiting = { items, signal, resolve, reject };
      const queue = queues.get(partition);
      if (queue) {
        queue.push(waiting);
        return;
      }
      const first = [waiting];
      queues.set(partition, first);
      void drain(partition, first);
    });
}

/** Empty only when nothing waits any more. */
function takeBatch<Item, Answer>(queue: Waiting<Item, Answer>[]): Waiting<Item, Answer>[] {
  const batch: Waiting<Item, Answer>[] = [];
  let size = 0;
  for (let next = queue[0]; next; next = queue[0]) {
    if (batch.length > 0 && size + next.items.length > MAX_BATCH) break;
    queue.shift();
    if (next.signal?.aborted) {
      next.reject(next.signal.reason);
    } else {
      batch.push(next);
      size += next.items.length;
    }
  }
  return batch;
}
