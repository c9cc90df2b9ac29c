import type { RecordClients } from './records.ts';

/** The one contract between the lab and a store engine. An engine is a folder beside this file and a line in fleet.ts. */
export interface LabHost {
  name: string;
  instanceId: string;
  /** The hosts that hold the same data. */
  shard: string;
  dataAddress: string;
  /** Absent where one interface carries everything, as on most EC2 hosts. */
  managementAddress?: string;
  tags: Record<string, string>;
  securityGroupId: string;
  /** Name of the host in whose place its Auto Scaling group starts it. Until then there is no such instance. */
  replaces?: string;
  /** What it serves it serves with TLS only, and has a certificate of its own. */
  tlsOnly?: true;
}

export function shardsOf(hosts: readonly LabHost[]): string[] {
  return [...new Set(hosts.map(({ shard }) => shard))];
}

/** A unit as fleet/host/host-init.py runs it. */
export interface HostUnit {
  argv: string[];
  user: string;
  /** `systemctl start` returns when this port of the host accepts connections. Absent: at once. */
  readyPort?: number;
  /** Scheduling priority of all its session; higher yields. Absent: that of the host, and a session like any other. */
  niceness?: number;
}

export interface HostFile {
  path: string;
  owner: string;
  mode: number;
  content: string;
  /** Of what is no text. */
  encoding?: 'base64';
}

/** A file system of its own, ext4, as a volume of the cloud would be: it can be filled, and costs what is written. */
export interface DataVolume {
  mebibytes: number;
  owner: string;
}

/** What an engine puts on a host. */
export interface HostContent {
  units: Record<string, HostUnit>;
  startAtBoot: string[];
  /** Name → directory of this machine, which the host sees as /run/lab/NAME. */
  programs?: Record<string, string>;
  files: HostFile[];
  /** Directory → tmpfs mount options. Fresh for every lab. */
  dataDirectories: Record<string, string>;
  /** Directory → its volume. Fresh for every lab, and gone with it. */
  dataVolumes?: Record<string, DataVolume>;
  /** Its clock can be set, for all of its processes and for nobody else. Needs what a set-up with `build_clock` has made. */
  ownClock?: true;
}

export interface StoreUser {
  username: string;
  password: string;
}

/** What stores and their clients prove themselves with. What a user may do is the engine's affair. */
export interface StoreKeys {
  /** Every user has a password of its own. */
  user(username: string): StoreUser;
  /** PEM, of a host that is `tlsOnly` or of `CLIENT`, with the authority of all of them. @throws Error for others */
  certificate(name: string): { ca: string; certificate: string; key: string };
}

/** What Secrets Manager holds. */
export interface LabSecret {
  text: string;
  /** Customer's key that it is encrypted with. */
  keyArn?: string;
}

/** The one thing the gateway asks of a shard. Rejects with an error whose message says why. */
export interface ShardStore {
  /** @returns the name of the node that took it, from engines that are counted by node: those that keep records or coordinate. */
  set(key: string, value: string): Promise<string | undefined>;
  /** Absent where gateways only write. */
  get?(key: string): Promise<string | null>;
}

/** How much of the gateways' requests an engine gets. */
export interface TrafficShare {
  /** They share all that no canary takes. */
  busy: readonly string[];
  /** Each of these takes as little as guardrails over all traffic tolerate; its shards take turns. */
  canaries: readonly Canary[];
}

export interface Canary {
  shards: readonly string[];
  writeOnly?: true;
  /** So many times as much: for clients that bear what is done to their shard. */
  slots?: number;
  /** So many workers of a gateway, and no more, for each of its shards. Absent: as many as a busy one. */
  workers?: number;
}

export function shardsIn({ canaries, busy }: TrafficShare): string[] {
  return [...canaries.flatMap(({ shards }) => shards), ...busy];
}

/** A store did not answer in time: whether the command had an effect is unknown. */
export class StoreTimeout extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

export interface ReadinessStep {
  /** What is true afterwards, e.g. `12 nodes have joined`. */
  what: string;
  /** @throws Error with the last problem when it does not become true in time. */
  work(): Promise<void>;
}

export interface FleetEngine {
  hosts: readonly LabHost[];
  traffic: TrafficShare;
  /** The part of lab/setup.sh that prepares this machine for it. Absent: `lab` is enough. */
  setUp?: string;
  /** Users of its hosts that no package of this machine makes. */
  accounts?: readonly string[];
  /** What is on each host, once that is known. */
  contents(keys: StoreKeys): Promise<(host: LabHost) => HostContent>;
  /** Name in Secrets Manager → what the product is to find there. */
  secrets(keys: StoreKeys): Record<string, LabSecret>;
  /**
   * What has to happen between the boot of the hosts and the first request, in this order.
   * @param startUnit `systemctl start` on every host of the engine.
   */
  readinessSteps(keys: StoreKeys, startUnit: (unit: string) => Promise<void>): readonly ReadinessStep[];
  /** A client that follows the shard through a failover. */
  connectShard(shard: string, keys: StoreKeys): Promise<ShardStore>;
  /** What a store answers whom it does not know: a line to its port, and a pattern (RE2). Absent: nobody asks it. */
  answers?: { port: number; send: string; expect: string };
  /** Any node takes a request and asks those that have the data: gateways count by node what was taken. */
  coordinates?: true;
  /** Of an engine that keeps records: then there are ingest and workers too. */
  records?: RecordClients;
}
