import type { REDIS_HEALTH } from './engine.ts';

/** A replica says every second how far it is. One that was silent for so long is not there, whatever its state says. */
const HEARD_WITHIN_SECONDS = 3;

/** What one node says of replication: fields of `INFO replication`. */
export type ReplicationInfo = Readonly<Record<string, string>>;

/**
 * What nobody can know is absent: a node that does not answer may take itself for the master, so that nobody knows how
 * many there are unless two say so already; and without an answer of the master that the Sentinels name nobody knows who
 * follows it.
 * @param members how many nodes the shard has
 * @param infos by node, of those that answered
 * @param named node that the Sentinels name master
 */
export function healthOf(
  members: number,
  infos: ReadonlyMap<string, ReplicationInfo>,
  named: string | undefined,
): Partial<Record<keyof typeof REDIS_HEALTH, number>> {
  const said = [...infos.values()].filter(({ role }) => role === 'master').length;
  const masters = infos.size === members || said > 1 ? { masters: said } : {};
  const master = infos.get(named ?? '');
  if (master?.role !== 'master') return masters;
  const replicas = Object.entries(master).filter(([field]) => /^slave\d+$/.test(field));
  return { ...masters, onlineReplicas: replicas.filter(([, fields]) => isOnline(fields)).length };
}

/** @param fields `ip=10.0.0.1,port=6379,state=online,offset=14,lag=0` */
function isOnline(fields: string): boolean {
  const value = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(fields)?.[1];
  return value('state') === 'online' && Number(value('lag')) <= HEARD_WITHIN_SECONDS;
}
