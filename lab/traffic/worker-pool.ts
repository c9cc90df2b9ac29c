/** So many workers and no queue: who has work waits until one of them is free, and takes no more work meanwhile. */
export interface WorkerPool {
  free(): number;
  /** Resolves when a worker has begun, not when it has finished. `work` must not reject. */
  hand(work: () => Promise<void>): Promise<void>;
}

export function createWorkerPool(size: number): WorkerPool {
  let free = size;
  const waiting: (() => void)[] = [];

  async function run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      const next = waiting.shift();
      // The worker goes from one to the other without being free in between.
      if (next) next();
      else free += 1;
    }
  }

  return {
    free: () => free,
    async hand(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      void run(work);
    },
  };
}
