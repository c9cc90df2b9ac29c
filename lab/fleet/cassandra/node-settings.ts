/** What the nodes of a lab can be started with otherwise: the variable, and what it may be. The first is what they have without it. */
const CHOICES = {
  /** `phi_convict_threshold`, how sure a node has to be that another one is gone: Cassandra's default, and what is advised where pauses and networks are long. */
  LAB_CASSANDRA_PHI: ['8', '12'],
  /** `commitlog_disk_access_mode`. `mmap` is what Cassandra's default comes to: who has it may go on with a full volume (docs/engines/cassandra.md). */
  LAB_CASSANDRA_COMMIT_LOG: ['direct', 'mmap'],
} as const;

/** @throws Error naming those there are. */
export function nodeSetting(variable: keyof typeof CHOICES, value = process.env[variable]): string {
  const choices: readonly string[] = CHOICES[variable];
  if (value === undefined) return CHOICES[variable][0];
  if (!choices.includes(value)) throw new Error(`${variable}: ${value} is none of ${choices.join(', ')}`);
  return value;
}
