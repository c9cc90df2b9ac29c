import { DOMAIN } from '../../shared/topology.ts';
import type { LabHost } from '../engine.ts';

/** Of clients, and between nodes. */
export const CLIENT_PORT = 9042;
export const STORAGE_PORT = 7000;
export const CASSANDRA_UNIT = 'cassandra';
/** A user that the lab's hosts have for it. */
export const CASSANDRA_ACCOUNT = 'cassandra';
/** The volume, and what is on it. */
export const VOLUME = '/var/lib/cassandra';
export const DIRECTORIES = {
  data: `${VOLUME}/data`,
  commitLog: `${VOLUME}/commitlog`,
  hints: `${VOLUME}/hints`,
  savedCaches: `${VOLUME}/saved_caches`,
} as const;

export interface CassandraHost extends LabHost {
  datacenter: string;
  /** Others ask it who is there when they start. */
  isSeed: boolean;
  rack: string;
  /** Where its range of the ring ends; of one that takes the place of another, that one's. */
  token?: string;
}

export interface Ring {
  /** As its hosts are tagged, and as the product knows it. */
  cluster: string;
  hosts: readonly CassandraHost[];
  /** Joins when one of them is gone. */
  spare?: CassandraHost;
  /** Name → copies of each row there. */
  datacenters: Readonly<Record<string, number>>;
}

/** Of one token a node, evenly over the ring. */
function tokens(count: number): string[] {
  const step = 2n ** 64n / BigInt(count);
  return Array.from({ length: count }, (_, index) => String(-(2n ** 63n) + step / 2n + step * BigInt(index)));
}

interface Place {
  name: string;
  address: number;
  datacenter: string;
  isSeed: boolean;
}

function hostOf(cluster: string, securityGroupId: string, { name, address, datacenter, isSeed }: Place): CassandraHost {
  return {
    // Every host is a rack of its own: a volume, a power supply.
    ...{ name, datacenter, isSeed, rack: name },
    instanceId: `i-0${address.toString(16).padStart(16, '0')}`,
    shard: cluster,
    dataAddress: `10.77.0.${address}`,
    managementAddress: `10.78.0.${address}`,
    tags: { Name: name, 'holdfast-target': 'true', 'holdfast-cluster': cluster },
    securityGroupId,
    tlsOnly: true,
  };
}

function hostsOf(cluster: string, securityGroupId: string, places: readonly Place[]): readonly CassandraHost[] {
  const ring = tokens(places.length);
  return places.map((place, index) => ({ ...hostOf(cluster, securityGroupId, place), token: ring[index] ?? '' }));
}

const ORDERS_GROUP = 'sg-0a1b2c3d4e5f60004';
const place = (number: number): Place => ({
  ...{ name: `cassandra-node-${number}`, address: 40 + number, datacenter: 'dc1', isSeed: number < 3 },
});

/** `cassandra-node-1…3`: every row on each. The third is no seed. */
function ordersRing(cluster: string): Ring {
  return { cluster, datacenters: { dc1: 3 }, hosts: hostsOf(cluster, ORDERS_GROUP, [1, 2, 3].map(place)) };
}

export const ORDERS_RING = ordersRing('cassandra-orders');

/** The same hosts, and one more for the third, in whose rack it is. */
export const REPLACEABLE_RING: Ring = {
  ...ordersRing('cassandra-replaceable'),
  spare: {
    ...hostOf('cassandra-replaceable', ORDERS_GROUP, place(4)),
    ...{ replaces: place(3).name, rack: place(3).name },
  },
};

/** All hosts of a ring, also one that is not there yet. */
export function everyHostOf({ hosts, spare }: Ring): readonly CassandraHost[] {
  return spare ? [...hosts, spare] : hosts;
}

/** `cassandra-dc1-node-1`, …: every row on each of two nodes in each of two datacenters. The first of each is a seed. */
export const DATACENTERS_RING: Ring = {
  cluster: 'cassandra-datacenters',
  datacenters: { dc1: 2, dc2: 2 },
  hosts: hostsOf(
    'cassandra-datacenters',
    'sg-0a1b2c3d4e5f60005',
    ['dc1', 'dc2'].flatMap((datacenter, index) =>
      [1, 2].map((number) => ({
        name: `cassandra-${datacenter}-node-${number}`,
        address: 50 + 2 * index + number,
        datacenter,
        isSeed: number === 1,
      })),
    ),
  ),
};

/** As certificates name it. */
export function nameOf({ name }: Pick<LabHost, 'name'>): string {
  return `${name}.${DOMAIN}`;
}
