import type { LiveNode } from '../../domain/targets.ts';
import { membersOf, type Shard, type StoreTopology } from '../../domain/topology.ts';

/** Somebody a Sentinel knows of. */
export interface SentinelPeer {
  ip: string;
  port: number;
  flags: string[];
}

export interface SentinelMaster extends SentinelPeer {
  name: string;
  replicas: SentinelPeer[];
  sentinels: SentinelPeer[];
}

/** What the Sentinel of one node says, or why it says nothing. */
export type SentinelView = { node: string; masters: SentinelMaster[] } | { node: string; problem: string };

/** What the Redis of one node says of itself (`INFO`), or why it says nothing. */
export type RedisView =
  | {
      node: string;
      role: string;
      masterHost?: string;
      masterPort?: number;
      masterLinkStatus?: string;
      uptimeSeconds?: number;
      /** What it could not write to its disk: it refuses writes (`MISCONF`) until it can. */
      persistenceProblems?: string[];
    }
  | { node: string; problem: string };

interface Opinion extends SentinelMaster {
  by: string;
}

/**
 * One picture from what all Sentinels and all Redis processes say. Healthy means that nobody disagrees and nobody is
 * silent: every Sentinel of a shard names the same master, that master says so itself, every replica follows it with
 * its link up, nobody is flagged down.
 */
export function mergeTopology(
  nodes: readonly LiveNode[],
  sentinels: readonly SentinelView[],
  redises: readonly RedisView[],
): StoreTopology {
  const nodeAt: NodeAt = (ip, port) => nodes.find((node) => node.port === port && isAt(node, ip))?.name;
  // Sentinels have a port of their own, one a host: any node of the host stands for it.
  const hostAt = (ip: string) => nodes.find((node) => isAt(node, ip))?.name;
  const opinions: Opinion[] = sentinels.flatMap((view) =>
    'masters' in view ? view.masters.map((master) => ({ ...master, by: view.node })) : [],
  );
  const redisOf = new Map(redises.map((view) => [view.node, view]));
  const silent = new Map(sentinels.flatMap((view) => ('problem' in view ? [[view.node, view.problem]] : [])));

  const names = [...new Set(opinions.map((opinion) => opinion.name))].sort();
  const merged = names.map((name) => {
    const ofShard = opinions.filter((opinion) => opinion.name === name);
    return mergeShard(name, ofShard, { nodeAt, hostAt, redisOf, silent });
  });
  const shards = merged.map((shard) => withoutDoubtfulRoles(shard, merged));

  const problems: string[] = [];
  for (const node of nodes) {
    const homes = shards.filter((shard) => membersOf(shard).includes(node.name));
    if (homes.length === 0) problems.push(`${node.name} belongs to no shard that a Sentinel knows`);
    if (homes.length > 1) problems.push(`${node.name} belongs to ${homes.map((shard) => shard.name).join(' and ')}`);
    const why = silent.get(node.name);
    if (why !== undefined && homes.length === 0) problems.push(`Sentinel of ${node.name}: ${why}`);
  }
  const advertised = opinions.flatMap((opinion) => [...opinion.replicas, opinion]);
  const advertisedAddresses = Object.fromEntries(
    advertised.flatMap(({ ip, port }) => {
      const node = nodes.find((candidate) => candidate.port === port && candidate.addresses.includes(ip));
      return node ? [[node.name, ip]] : [];
    }),
  );
  const uptimeSeconds = Object.fromEntries(
    redises.flatMap((view) =>
      'uptimeSeconds' in view && view.uptimeSeconds !== undefined ? [[view.node, view.uptimeSeconds]] : [],
    ),
  );
  return { shards, advertisedAddresses, uptimeSeconds, problems };
}

/** A Redis node belongs to one shard: one that Sentinels name for several has a certain role in none. */
function withoutDoubtfulRoles(shard: Shard, all: readonly Shard[]): Shard {
  const isElsewhere = (node: string) => all.some((other) => other !== shard && membersOf(other).includes(node));
  return {
    ...shard,
    members: shard.members.map((member) => (isElsewhere(member.node) ? { node: member.node } : member)),
  };
}

type NodeAt = (ip: string, port: number) => string | undefined;

/** Sentinels may announce names of hosts: the node's own has its port in it where the host has several. */
function isAt(node: LiveNode, address: string): boolean {
  return [...node.addresses, node.name, node.tags.Name].includes(address);
}

/** How what the Sentinels name is found among the nodes, and what each of these says. */
interface Views {
  nodeAt: NodeAt;
  hostAt: (ip: string) => string | undefined;
  redisOf: ReadonlyMap<string, RedisView>;
  /** Node → why its Sentinel says nothing. */
  silent: ReadonlyMap<string, string>;
}

function mergeShard(name: string, opinions: readonly Opinion[], { nodeAt, hostAt, redisOf, silent }: Views): Shard {
  const problems = new Set<string>();
  const label = ({ ip, port }: SentinelPeer) => nodeAt(ip, port) ?? `${ip}:${port}`;
  const sentinelLabel = ({ ip, port }: SentinelPeer) => hostAt(ip) ?? `${ip}:${port}`;

  const masters = new Set(opinions.map(label));
  if (masters.size > 1) {
    problems.add(
      `Sentinels disagree on the master: ${opinions.map((opinion) => `${opinion.by} says ${label(opinion)}`).join(', ')}`,
    );
  }
  const members = new Set<string>();
  for (const opinion of opinions) {
    for (const peer of [opinion, ...opinion.replicas]) {
      const node = nodeAt(peer.ip, peer.port);
      if (node === undefined) problems.add(`${peer.ip}:${peer.port} is not a live node of the cluster`);
      else members.add(node);
      if (isDown(peer)) problems.add(`Sentinel of ${opinion.by} flags ${label(peer)} as ${peer.flags.join(',')}`);
    }
    for (const peer of opinion.sentinels) {
      if (isDown(peer))
        problems.add(`Sentinel of ${opinion.by} flags the one of ${sentinelLabel(peer)} as ${peer.flags.join(',')}`);
      const why = silent.get(hostAt(peer.ip) ?? '');
      if (why !== undefined) problems.add(`Sentinel of ${sentinelLabel(peer)}: ${why}`);
    }
  }
  for (const node of members) {
    const why = silent.get(node);
    if (why !== undefined) problems.add(`Sentinel of ${node}: ${why}`);
  }
  const [first] = opinions;
  const master = masters.size === 1 && first ? nodeAt(first.ip, first.port) : undefined;
  for (const node of members) {
    const view = redisOf.get(node);
    const problem = roleProblem(view, node === master, master, nodeAt);
    if (problem !== undefined) problems.add(`${node} ${problem}`);
    const unsaved = view && 'persistenceProblems' in view ? view.persistenceProblems : undefined;
    for (const each of unsaved ?? []) problems.add(`${node} ${each}`);
  }
  const replicas = [...members].filter((node) => node !== master).sort();
  return {
    name,
    members:
      master === undefined
        ? replicas.map((node) => ({ node }))
        : [{ node: master, role: 'master' }, ...replicas.map((node) => ({ node, role: 'replica' }))],
    problems: [...problems],
  };
}

function isDown({ flags }: SentinelPeer): boolean {
  return flags.some((flag) => ['s_down', 'o_down', 'disconnected', 'failover_in_progress'].includes(flag));
}

function roleProblem(
  view: RedisView | undefined,
  isMaster: boolean,
  master: string | undefined,
  nodeAt: NodeAt,
): string | undefined {
  if (!view) return 'was not asked for its role';
  if ('problem' in view) return `does not answer: ${view.problem}`;
  if (isMaster) return view.role === 'master' ? undefined : `is named master but says ${view.role}`;
  if (view.role !== 'slave') return `is named replica but says ${view.role}`;
  if (view.masterLinkStatus !== 'up') return `has its link to the master ${view.masterLinkStatus ?? 'unknown'}`;
  const follows = nodeAt(view.masterHost ?? '', view.masterPort ?? Number.NaN);
  return follows !== undefined && follows === master
    ? undefined
    : `follows ${view.masterHost ?? 'nobody'}, not the master`;
}
