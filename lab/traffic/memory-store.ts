import type { ShardStore } from '../fleet/engine.ts';

/** What a gateway serves from its own memory. It grows by one entry for each key there is. */
export function memoryStore(): ShardStore {
  const values = new Map<string, string>();
  return {
    set: async (key, value) => {
      values.set(key, value);
      return undefined;
    },
    get: async (key) => values.get(key) ?? null,
  };
}
