import { type FleetEngine, type LabHost, shardsOf } from './engine.ts';
import { redis } from './redis/engine.ts';

/** One line an engine. */
export const ENGINES: readonly FleetEngine[] = [redis];

export const FLEET_HOSTS: readonly LabHost[] = ENGINES.flatMap(({ hosts }) => hosts);

export const SHARDS: readonly string[] = shardsOf(FLEET_HOSTS);

/** What `npm run lab` runs when it is given no file. */
export const DEFAULT_EXPERIMENT = 'examples/redis-partition.json';
