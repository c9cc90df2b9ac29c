import type { StoreTopology } from '../../../functions/domain/topology.ts';
import type { LossRefusal } from '../../../functions/engines/engine.ts';
import { StoreGate } from '../../../functions/guard/store-gate.ts';
import type { SimulatedClock } from '../domain/simulated-clock.ts';
import { shardOf, topologyOf } from '../domain/target-fixtures.ts';

export const TOO_FEW: LossRefusal = {
  detail: 'orders-0 has, beside the impacted nodes, 1 of 3 replicas in sync: its min.insync.replicas is 2',
  numbers: { partition: 'orders-0', remainingInSyncReplicas: 1 },
};

/** What a store says, and how long it takes to say it, at each look. It may change while it is asked. */
export interface Said {
  takesMs: number;
  refusal?: LossRefusal | undefined;
  /** Instead of an answer. */
  error?: string;
  topology?: StoreTopology;
}

/** A store with a gate before it; what is to be seen of how it was asked. */
export function askedStore(clock: SimulatedClock, say: (look: number) => Said = () => ({ takesMs: 20 })) {
  const askedAtMs: number[] = [];
  const seen = { running: 0, mostAtOnce: 0 };
  let said: Said = { takesMs: 0 };
  const gate = new StoreGate(
    {
      cluster: 'redis-master',
      async readTopology() {
        said = say(askedAtMs.length);
        const { takesMs, error, topology = topologyOf([shardOf('shard-1', 'redis-node-1')]) } = said;
        askedAtMs.push(clock.monotonicMs());
        seen.running += 1;
        seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.running);
        if (!Number.isFinite(takesMs)) await new Promise(() => {});
        await clock.sleep(takesMs);
        seen.running -= 1;
        if (error !== undefined) throw new Error(error);
        return topology;
      },
      refuse: () => said.refusal,
    },
    clock,
  );
  return { gate, askedAtMs, seen };
}
