import type { LiveNode } from '../../domain/targets.ts';
import type { NodeAnswer, RingMember } from './views.ts';

/** Which host of the ring is which node. */
export interface Members {
  /** Everybody on the ring, by what each says of itself, else by what others say of it. */
  ring: RingMember[];
  /** The node's name; of a host that is no live node, what it can be found by. */
  nameOf(hostId: string): string;
  /** Undefined for a host that is no live node. */
  nodeOf(hostId: string): string | undefined;
  hostOf(node: string): RingMember | undefined;
  /** Node → the address that it announces to others. */
  addresses: Record<string, string>;
  problems: string[];
}

export function membersOf(nodes: readonly LiveNode[], answers: readonly NodeAnswer[]): Members {
  const own = new Map(answers.map(({ node, self }) => [self.hostId, node]));
  const known = new Map<string, RingMember>();
  for (const peer of answers.flatMap(({ peers }) => peers)) known.set(peer.hostId, peer);
  for (const { self } of answers) {
    const asPeer = known.get(self.hostId)?.addresses ?? [];
    known.set(self.hostId, { ...self, addresses: [...new Set([...self.addresses, ...asPeer])] });
  }
  const isAt =
    ({ addresses }: RingMember) =>
    (node: LiveNode) =>
      addresses.some((each) => node.addresses.includes(each));
  const nodesOf = new Map(
    [...known.values()].map(
      (member) => [member.hostId, own.get(member.hostId) ?? nodes.find(isAt(member))?.name] as const,
    ),
  );
  const hosts = new Map(
    [...nodesOf].flatMap(([hostId, node]) => (node === undefined ? [] : [[node, hostId] as const])),
  );
  const nameOf = (hostId: string) => {
    const [address] = known.get(hostId)?.addresses ?? [];
    return nodesOf.get(hostId) ?? (address === undefined ? `host ${hostId}` : `host ${address}`);
  };
  const hostOf = (node: string) => known.get(hosts.get(node) ?? '');
  return {
    ring: [...known.values()],
    nameOf,
    nodeOf: (hostId) => nodesOf.get(hostId),
    hostOf,
    addresses: Object.fromEntries(
      nodes.flatMap(({ name, addresses }) => {
        const announced = hostOf(name)?.addresses.find((each) => addresses.includes(each));
        return announced === undefined ? [] : [[name, announced]];
      }),
    ),
    problems: [
      ...[...nodesOf].flatMap(([hostId, node]) =>
        node === undefined ? [`${nameOf(hostId)} is in the ring, and is no live node of the cluster`] : [],
      ),
      ...(answers.length === 0 ? [] : nodes.filter(({ name }) => !hosts.has(name))).map(
        ({ name }) => `${name} is in no ring that any other knows (broadcast_address, rpc_address)`,
      ),
    ],
  };
}

/** Nodes that the configuration calls seeds, and what is wrong with that. */
export function seedsAmong(
  nodes: readonly LiveNode[],
  seeds: readonly string[],
  answers: readonly NodeAnswer[],
): { names: Set<string>; problems: string[] } {
  const nodeAt = (seed: string) => {
    const host = seed.replace(/^\[?([^\]]+?)\]?(?::\d+)?$/, '$1');
    return nodes.find(({ name, addresses }) => [seed, host].some((each) => name === each || addresses.includes(each)))
      ?.name;
  };
  const found = seeds.map((seed) => ({ seed, node: nodeAt(seed) }));
  const names = new Set(found.flatMap(({ node }) => node ?? []));
  const other = answers.flatMap(({ node, settings }) => {
    const listed = /seeds=([^}]*)\}/.exec(settings['seed_provider.parameters'] ?? '')?.[1];
    // A name in the nodes' own list may be one that only they can resolve.
    const theirs = listed?.split(',').flatMap((seed) => nodeAt(seed.trim()) ?? []);
    if (!theirs || theirs.length === 0) return [];
    const differs = theirs.some((name) => !names.has(name)) || theirs.length !== names.size;
    return differs ? [`${node} has the seeds ${listed}, and cassandra.seeds says ${seeds.join(', ')}`] : [];
  });
  return {
    names,
    problems: [
      ...found.flatMap(({ seed, node }) =>
        node === undefined ? [`the seed ${seed} is no live node (cassandra.seeds)`] : [],
      ),
      ...other,
    ],
  };
}
