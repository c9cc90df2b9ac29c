import type { FleetEngine, ShardStore, StoreKeys, TrafficShare } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import type { Profile } from './clients.ts';
import { CLIENT_PORT, type Ring } from './hosts.ts';
import { ORDERS } from './schema.ts';

/**
 * What the lab's applications do with a ring. The client is loaded by who uses one.
 */

/** Shard, as gateways call it → how its client is set. */
function shardsOf({ datacenters }: Ring): Record<string, Profile> {
  const [datacenter = ''] = Object.keys(datacenters);
  return { [`${ORDERS}-${datacenter}`]: 'tuned', [`${ORDERS}-${datacenter}-defaults`]: 'default' };
}

/** What these two processors bear beside everything else: about fifty requests a second. */
const TUNED_SLOTS = 16;

/**
 * A client that is tuned may have load: nothing of it fails when a node does. One that is not takes as little as guardrails over all
 * traffic tolerate.
 */
export function trafficOf(ring: Ring): TrafficShare {
  const canaries = Object.entries(shardsOf(ring)).map(([shard, profile]) => ({
    shards: [shard],
    ...(profile === 'tuned' ? { slots: TUNED_SLOTS } : {}),
  }));
  return { busy: [], canaries };
}

export function shardConnector(ring: Ring): FleetEngine['connectShard'] {
  return async (shard, keys) => {
    const profile = shardsOf(ring)[shard];
    if (profile === undefined) throw new Error(`${shard}: no shard of ${ring.cluster}`);
    return connect(ring, profile, keys);
  };
}

async function connect(ring: Ring, profile: Profile, keys: StoreKeys): Promise<ShardStore> {
  const [{ accessTo, ringClient }, { ordersStore }] = await Promise.all([
    import('./clients.ts'),
    import('./shard-client.ts'),
  ]);
  const [datacenter = ''] = Object.keys(ring.datacenters);
  const client = ringClient(accessTo(ring, datacenter, keys.user(APPLICATION), keys), profile);
  await client.connect();
  const names = new Map(ring.hosts.map(({ name, dataAddress }) => [`${dataAddress}:${CLIENT_PORT}`, name]));
  return ordersStore(client, (endpoint) => names.get(endpoint));
}
