/** The narrow port of the probe: one client of one shard, whatever the engine. */
export interface ShardProbe {
  shard: string;
  connect(): Promise<void>;
  /** One write, read back; never rejects. `acknowledged`: the store promised to keep it. */
  write(key: string, value: string): Promise<{ acknowledged: boolean; ok: boolean }>;
  /** Asks the impacted nodes directly, past any failover. */
  isOnImpacted(key: string, value: string): Promise<boolean>;
  /** Name of the node that the shard calls its master now. */
  masterNode(): Promise<string>;
  /** From the current master; null for a key it does not have. */
  readAll(keys: readonly string[]): Promise<Map<string, string | null>>;
  removeAll(keys: readonly string[]): Promise<void>;
  close(): void;
}
