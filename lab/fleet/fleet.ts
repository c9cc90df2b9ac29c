import { type FleetEngine, type LabHost, shardsOf } from './engine.ts';
import { redisFleet } from './redis/engine.ts';
import { REDIS_HOSTS, TLS_HOSTS } from './redis/hosts.ts';

/** One line an engine. With LAB_TLS=1 (`lab up --tls`) there is a shard more, which speaks TLS only. */
export const ENGINES: readonly FleetEngine[] = [
  redisFleet(REDIS_HOSTS),
  ...(process.env.LAB_TLS === '1' ? [redisFleet(TLS_HOSTS)] : []),
];

export const FLEET_HOSTS: readonly LabHost[] = ENGINES.flatMap(({ hosts }) => hosts);

export const SHARDS: readonly string[] = shardsOf(FLEET_HOSTS);

/** What `npm run lab` runs when it is given no file. */
export const DEFAULT_EXPERIMENT = 'examples/redis-partition.json';
