import { cassandraFleet } from './cassandra/engine.ts';
import { DATACENTERS_RING, ORDERS_RING, REPLACEABLE_RING } from './cassandra/hosts.ts';
import { type FleetEngine, type LabHost, shardsIn } from './engine.ts';
import { kafkaFleet } from './kafka/engine.ts';
import { CLUSTER, DISPOSABLE_CLUSTER } from './kafka/hosts.ts';
import type { RecordClients } from './records.ts';
import { redisFleet } from './redis/engine.ts';
import { REDIS_HOSTS, TLS_HOSTS } from './redis/hosts.ts';

/** Everything a lab can have: one line an engine. */
const ALL = {
  redis: redisFleet(REDIS_HOSTS),
  /** A shard more, which speaks TLS only. */
  'redis-tls': redisFleet(TLS_HOSTS),
  kafka: kafkaFleet(CLUSTER),
  /** The same hosts, as a cluster whose data nobody needs. */
  'kafka-disposable': kafkaFleet(DISPOSABLE_CLUSTER),
  cassandra: cassandraFleet(ORDERS_RING),
  /** The same hosts, and one that an Auto Scaling group starts in the place of the third. */
  'cassandra-replaceable': cassandraFleet(REPLACEABLE_RING),
  /** In the place of `cassandra`: two datacenters of two nodes each. */
  'cassandra-datacenters': cassandraFleet(DATACENTERS_RING),
} as const satisfies Record<string, FleetEngine>;
export type FleetName = keyof typeof ALL;
export const FLEET_NAMES = Object.keys(ALL) as FleetName[];
/** Those that are the hosts of another one: no lab has both. */
const SAME_HOSTS: Partial<Record<FleetName, FleetName>> = {
  'kafka-disposable': 'kafka',
  'cassandra-replaceable': 'cassandra',
};

/** One fleet of each engine. */
export const EVERY_ENGINE: readonly FleetName[] = ['redis', 'kafka', 'cassandra'];
/** What `--engines` takes. The shard of `--tls` belongs to the first. */
export const ENGINE_NAMES: readonly FleetName[] = [
  ...(['redis', 'kafka', 'kafka-disposable', 'cassandra', 'cassandra-replaceable'] as const),
];
export const DEFAULT_FLEETS: readonly FleetName[] = ['redis'];
/** Says to every process of a lab which of them it has: names, separated by commas. */
export const FLEETS_VARIABLE = 'LAB_ENGINES';

/** @throws Error naming what there is. */
function readFleets(list: string | undefined, known: readonly FleetName[], what: string): readonly FleetName[] {
  if (list === undefined) return DEFAULT_FLEETS;
  const names = list.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !known.some((each) => each === name));
  if (wrong !== undefined) throw new Error(`${what}: ${JSON.stringify(wrong)} is none of ${known.join(', ')}`);
  return FLEET_NAMES.filter((name) => names.includes(name));
}

/** What is asked for beside a list of engines. */
export interface FleetChoices {
  tls: boolean;
  /** Absent: as the engine is by default. */
  datacenters?: string | undefined;
}

/**
 * What `lab up --engines LIST --tls --datacenters 2` asks for; without a list the default.
 * @throws Error naming what there is.
 */
export function chooseFleets(list: string | undefined, { tls, datacenters }: FleetChoices): readonly FleetName[] {
  const chosen = readFleets(list, ENGINE_NAMES, '--engines');
  if (tls && !chosen.includes('redis')) throw new Error('--tls: adds a shard to redis, which --engines leaves out');
  const isSplit = isTwo(datacenters);
  if (isSplit && !chosen.includes('cassandra'))
    throw new Error('--datacenters: are of cassandra, which --engines leaves out');
  refuseSameHosts(chosen);
  return FLEET_NAMES.filter((name) => {
    if (name === 'redis-tls') return tls;
    if (name === 'cassandra') return chosen.includes(name) && !isSplit;
    if (name === 'cassandra-datacenters') return isSplit;
    return chosen.includes(name);
  });
}

/** @throws Error where two of these are the same hosts. */
function refuseSameHosts(fleets: readonly FleetName[]): void {
  for (const name of fleets) {
    const other = SAME_HOSTS[name];
    if (other && fleets.includes(other))
      throw new Error(`no lab has both ${other} and ${name}: they are the same hosts`);
  }
}

/** @throws Error for another number than one or two. */
function isTwo(datacenters = '1'): boolean {
  if (datacenters !== '1' && datacenters !== '2')
    throw new Error(`--datacenters: ${JSON.stringify(datacenters)} is none of 1, 2`);
  return datacenters === '2';
}

/** Those of `ENGINE_NAMES` that these belong to. */
function namedIn(fleets: readonly FleetName[]): readonly FleetName[] {
  const isSplit = fleets.includes('cassandra-datacenters');
  return ENGINE_NAMES.filter((name) => fleets.includes(name) || (isSplit && name === 'cassandra'));
}

/** The options of `lab up` that ask for these. */
export function optionsFor(fleets: readonly FleetName[]): string {
  const engines = namedIn(fleets);
  const isDefault = engines.join() === DEFAULT_FLEETS.join();
  return [
    ...(isDefault ? [] : [`--engines ${engines.join()}`]),
    ...(fleets.includes('redis-tls') ? ['--tls'] : []),
    ...(fleets.includes('cassandra-datacenters') ? ['--datacenters 2'] : []),
  ].join(' ');
}

type Tags = Readonly<Record<string, string>>;

/**
 * What a lab must have for clusters whose hosts have these tags.
 * @throws Error when no lab has all of them, because two are the same hosts
 */
export function fleetsTagged(clusters: readonly Tags[]): readonly FleetName[] {
  const isOf = (host: LabHost, tags: Tags) => Object.entries(tags).every(([key, value]) => host.tags[key] === value);
  const needed = FLEET_NAMES.filter((name) =>
    ALL[name].hosts.some((host) => clusters.some((tags) => isOf(host, tags))),
  );
  refuseSameHosts(needed);
  return FLEET_NAMES.filter((name) => needed.includes(name) || (name === 'redis' && needed.includes('redis-tls')));
}

function enginesOf(fleets: readonly FleetName[]): FleetEngine[] {
  return fleets.map((name) => ALL[name]);
}

/** The parts of lab/setup.sh that these need beside `lab`. */
export function setUpsOf(fleets: readonly FleetName[]): string[] {
  return enginesOf(fleets).flatMap(({ setUp }) => setUp ?? []);
}

/** Of every lab there can be; what is another cluster by its tags alone is there once. */
export const ALL_HOSTS: readonly LabHost[] = [
  ...new Map(
    FLEET_NAMES.flatMap((name) => ALL[name].hosts).map((host) => [
      [host.name, host.instanceId, host.dataAddress].join(),
      host,
    ]),
  ).values(),
];

/** Of the lab that this process belongs to. */
export const FLEETS = readFleets(process.env[FLEETS_VARIABLE], FLEET_NAMES, FLEETS_VARIABLE);
export const ENGINES: readonly FleetEngine[] = enginesOf(FLEETS);
export const FLEET_HOSTS: readonly LabHost[] = ENGINES.flatMap(({ hosts }) => hosts);

export const SHARDS: readonly string[] = ENGINES.flatMap(({ traffic }) => shardsIn(traffic));

/**
 * The traffic of a lab, of so much a second where there is one engine: the more engines share two processors, the less of it there
 * is in all. A machine without time to spare would be measured in place of its stores.
 */
export function loadBeside(ratePerSecond: number, fleets: readonly FleetName[] = FLEETS): number {
  return ratePerSecond / namedIn(fleets).length;
}

/** Those whose engine keeps records. */
export function recordNodes(): string[] {
  return ENGINES.flatMap(({ records, hosts }) => (records ? hosts.map(({ name }) => name) : []));
}

/** Those of which any takes requests for the others. */
export function coordinatingNodes(): string[] {
  return ENGINES.flatMap(({ coordinates, hosts }) => (coordinates ? hosts.map(({ name }) => name) : []));
}

/** @throws Error when no engine of this lab keeps records. */
export function recordClients(): RecordClients {
  const clients = ENGINES.find(({ records }) => records)?.records;
  if (clients === undefined) throw new Error('no engine of this lab keeps records');
  return clients;
}

/** What `npm run lab` runs when it is given no file. */
export const DEFAULT_EXPERIMENT = 'examples/redis-partition.json';
