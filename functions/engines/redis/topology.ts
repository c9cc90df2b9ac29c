import type { LiveNode } from '../../aws/live-nodes.ts';
import type { ShardTopology, StoreTopology } from '../engine.ts';

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
  const nodeAt = (ip: string) => nodes.find((node) => node.addresses.includes(ip) || node.name === ip)?.name;
  const opinions: Opinion[] = sentinels.flatMap((view) =>
    'masters' in view ? view.masters.map((master) => ({ ...master, by: view.node })) : [],
  );
  const redisOf = new Map(redises.map((view) => [view.node, view]));
  const silent = new Map(sentinels.flatMap((view) => ('problem' in view ? [[view.node, view.problem]] : [])));

  const names = [...new Set(opinions.map((opinion) => opinion.name))].sort();
  const shards = names.map((name) => {
    const ofShard = opinions.filter((opinion) => opinion.name === name);
    return mergeShard(name, ofShard, nodeAt, redisOf, silent);
  });

  const problems: string[] = [];
  for (const node of nodes) {
    const homes = shards.filter((shard) => shard.master === node.name || shard.replicas.includes(node.name));
    if (homes.length === 0) problems.push(`${node.name} belongs to no shard that a Sentinel knows`);
    if (homes.length > 1) problems.push(`${node.name} belongs to ${homes.map((shard) => shard.name).join(' and ')}`);
    const why = silent.get(node.name);
    if (why !== undefined && homes.length === 0) problems.push(`Sentinel of ${node.name}: ${why}`);
  }
  const advertised = opinions.flatMap((opinion) => [...opinion.replicas, opinion]);
  const advertisedAddresses = Object.fromEntries(
    advertised.flatMap(({ ip }) => {
      const node = nodes.find((candidate) => candidate.addresses.includes(ip));
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

function mergeShard(
  name: string,
  opinions: readonly Opinion[],
  nodeAt: (ip: string) => string | undefined,
  redisOf: ReadonlyMap<string, RedisView>,
  silent: ReadonlyMap<string, string>,
): ShardTopology {
  const problems = new Set<string>();
  const label = ({ ip, port }: SentinelPeer) => nodeAt(ip) ?? `${ip}:${port}`;

  const masters = new Set(opinions.map(label));
  if (masters.size > 1) {
    problems.add(
      `Sentinels disagree on the master: ${opinions.map((opinion) => `${opinion.by} says ${label(opinion)}`).join(', ')}`,
    );
  }
  const members = new Set<string>();
  for (const opinion of opinions) {
    for (const peer of [opinion, ...opinion.replicas]) {
      const node = nodeAt(peer.ip);
      if (node === undefined) problems.add(`${peer.ip}:${peer.port} is not a live node of the cluster`);
      else members.add(node);
      if (isDown(peer)) problems.add(`Sentinel of ${opinion.by} flags ${label(peer)} as ${peer.flags.join(',')}`);
    }
    for (const peer of opinion.sentinels) {
      if (isDown(peer))
        problems.add(`Sentinel of ${opinion.by} flags the one of ${label(peer)} as ${peer.flags.join(',')}`);
      const why = silent.get(nodeAt(peer.ip) ?? '');
      if (why !== undefined) problems.add(`Sentinel of ${label(peer)}: ${why}`);
    }
  }
  for (const node of members) {
    const why = silent.get(node);
    if (why !== undefined) problems.add(`Sentinel of ${node}: ${why}`);
  }
  const [first] = opinions;
  const master = masters.size === 1 && first ? nodeAt(first.ip) : undefined;
  for (const node of members) {
    const view = redisOf.get(node);
    const problem = roleProblem(view, node === master, master, nodeAt);
    if (problem !== undefined) problems.add(`${node} ${problem}`);
    const unsaved = view && 'persistenceProblems' in view ? view.persistenceProblems : undefined;
    for (const each of unsaved ?? []) problems.add(`${node} ${each}`);
  }
  return {
    name,
    ...(master === undefined ? {} : { master }),
    replicas: [...members].filter((node) => node !== master).sort(),
    healthy: problems.size === 0 && master !== undefined,
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
  nodeAt: (ip: string) => string | undefined,
): string | undefined {
  if (!view) return 'was not asked for its role';
  if ('problem' in view) return `does not answer: ${view.problem}`;
  if (isMaster) return view.role === 'master' ? undefined : `is named master but says ${view.role}`;
  if (view.role !== 'slave') return `is named replica but says ${view.role}`;
  if (view.masterLinkStatus !== 'up') return `has its link to the master ${view.masterLinkStatus ?? 'unknown'}`;
  const follows = nodeAt(view.masterHost ?? '');
  return follows !== undefined && follows === master
    ? undefined
    : `follows ${view.masterHost ?? 'nobody'}, not the master`;
}
