import type { FleetEngine, ShardStore, StoreKeys, TrafficShare } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import type { Profile } from './clients.ts';
import { CLIENT_PORT, everyHostOf, type Ring } from './hosts.ts';
import { ORDERS } from './schema.ts';
import type { Level } from './shard-client.ts';

/** What the lab's applications do with a ring. The client is loaded by who uses one. */

/** A route of the gateways. */
interface Route {
  profile: Profile;
  level: Level;
  writeOnly?: true;
  slots?: number;
}

/** What two processors bear beside everything else: about 25 requests a second of 1,000, each of which costs the ring 10 ms of theirs. */
const TUNED_SLOTS = 8;

/**
 * Shard, as gateways call it → how it is asked. A client that is tuned may have load: nothing of it fails when a node does.
 * What is felt takes as little as guardrails over all traffic tolerate.
 */
function routesOf({ datacenters }: Ring): Record<string, Route> {
  const [datacenter = '', ...others] = Object.keys(datacenters);
  if (others.length === 0)
    return {
      [`${ORDERS}-${datacenter}`]: { profile: 'tuned', level: 'quorum', slots: TUNED_SLOTS },
      [`${ORDERS}-${datacenter}-defaults`]: { profile: 'default', level: 'quorum' },
    };
  return {
    [`${ORDERS}-local-quorum`]: { profile: 'tuned', level: 'localQuorum', slots: TUNED_SLOTS },
    [`${ORDERS}-each-quorum`]: { profile: 'default', level: 'eachQuorum', writeOnly: true },
  };
}

export function trafficOf(ring: Ring): TrafficShare {
  const canaries = Object.entries(routesOf(ring)).map(([shard, { slots, writeOnly }]) => ({
    shards: [shard],
    ...(slots === undefined ? {} : { slots }),
    ...(writeOnly && { writeOnly }),
  }));
  return { busy: [], canaries };
}

export function shardConnector(ring: Ring): FleetEngine['connectShard'] {
  return async (shard, keys) => {
    const route = routesOf(ring)[shard];
    if (route === undefined) throw new Error(`${shard}: no shard of ${ring.cluster}`);
    return connect(ring, route, keys);
  };
}

async function connect(ring: Ring, { profile, level }: Route, keys: StoreKeys): Promise<ShardStore> {
  const [{ accessTo, ringClient }, { ordersStore }] = await Promise.all([
    import('./clients.ts'),
    import('./shard-client.ts'),
  ]);
  const [datacenter = ''] = Object.keys(ring.datacenters);
  const client = ringClient(accessTo(ring, datacenter, keys.user(APPLICATION), keys), profile);
  await client.connect();
  const names = new Map(everyHostOf(ring).map(({ name, dataAddress }) => [`${dataAddress}:${CLIENT_PORT}`, name]));
  return ordersStore(client, level, (endpoint) => names.get(endpoint));
}
