import type { Position } from '../fleet/records.ts';

interface Partition {
  /** Offset → how many workers have it: after a rebalance a record comes again. */
  pending: Map<bigint, number>;
  /** The next one that was never taken. */
  next: bigint | undefined;
  committed: bigint | undefined;
}

/** Which records need not be taken again, while workers finish them in any order. */
export interface Progress {
  /** These partitions and no others: of the others somebody else keeps the progress now. */
  assign(partitions: readonly number[]): void;
  take(partition: number, offset: bigint): void;
  finish(partition: number, offset: bigint): void;
  /** Where a commit would get further: below it everything is finished. */
  positions(): Position[];
  committed(positions: readonly Position[]): void;
}

export function createProgress(): Progress {
  const partitions = new Map<number, Partition>();
  return {
    assign(assigned) {
      for (const partition of partitions.keys()) if (!assigned.includes(partition)) partitions.delete(partition);
      for (const partition of assigned) {
        if (partitions.has(partition)) continue;
        partitions.set(partition, { pending: new Map(), next: undefined, committed: undefined });
      }
    },
    take(partition, offset) {
      const state = partitions.get(partition);
      if (!state) return;
      state.pending.set(offset, (state.pending.get(offset) ?? 0) + 1);
      if (state.next === undefined || offset >= state.next) state.next = offset + 1n;
    },
    finish(partition, offset) {
      const pending = partitions.get(partition)?.pending;
      const workers = pending?.get(offset);
      if (workers === undefined) return;
      if (workers > 1) pending?.set(offset, workers - 1);
      else pending?.delete(offset);
    },
    positions: () =>
      [...partitions].flatMap(([partition, { pending, next, committed }]) => {
        const offset = [...pending.keys()].reduce((lowest, each) => (each < lowest ? each : lowest), next ?? 0n);
        return next !== undefined && offset > (committed ?? -1n) ? [{ partition, offset }] : [];
      }),
    committed(positions) {
      for (const { partition, offset } of positions) {
        const state = partitions.get(partition);
        if (state) state.committed = offset;
      }
    },
  };
}
