import * as z from 'zod';
import { disjoint, NODE_LIST, nodeNames, PATTERN, percent, wholeNumber } from './fields.ts';
import { hostKind } from './kind.ts';
import { addressesOf, namesOf, PEERS_DOCUMENT } from './peers.ts';

/** What one netfilter rule (`multiport`) holds. */
const MAX_PORTS = 15;

const schema = z
  .strictObject({
    /** The seed's payload has it; a partition delays nothing. */
    latencyMs: z.literal(0).default(0),
    packetLossPct: percent(1),
    targetPartitionGroupA: nodeNames,
    targetPartitionGroupB: nodeNames,
    /** `isolate`: peers and clients lose the node. `peers`: clients still reach it (the split-brain experiment). */
    scope: z.enum(['isolate', 'peers']).default('isolate'),
    /** `in`: what arrives from the peers is lost; `out`: what is sent to them. */
    direction: z.enum(['both', 'in', 'out']).default('both'),
    /** TCP and UDP ports, source or destination; none: everything between the groups. */
    ports: z
      .array(z.int().min(1).max(65_535))
      .min(1, 'is empty')
      .max(MAX_PORTS, `has more than ${MAX_PORTS} ports`)
      .refine((ports) => new Set(ports).size === ports.length, 'names a port twice')
      .optional(),
  })
  .refine(...disjoint('targetPartitionGroupB', 'targetPartitionGroupA'));

export const networkPartition = hostKind({
  kind: 'NETWORK_PARTITION',
  description: 'Cuts the smaller group of nodes off from the other one, and with scope isolate from its clients too.',
  schema,
  allowed: {
    latencyMs: '0: a partition delays nothing',
    packetLossPct: wholeNumber(1, 100),
    targetPartitionGroupA: NODE_LIST,
    targetPartitionGroupB: `${NODE_LIST}, none of them in group A`,
    scope: 'isolate, peers; left out: isolate',
    direction: 'both, in, out, as the impacted group sees it; left out: both',
    ports: `1-${MAX_PORTS} different TCP or UDP ports, each ${wholeNumber(1, 65_535)}; left out: everything; with scope isolate one of the store's is among them`,
  },
  faultState: 'ISOLATED',
  example: {
    packetLossPct: 100,
    targetPartitionGroupA: ['node-1', 'node-2'],
    targetPartitionGroupB: ['node-3'],
  },
  impactedNodes: (parameters) => smallerGroup(parameters),
  peers: (parameters) => {
    const { targetPartitionGroupA: a, targetPartitionGroupB: b } = parameters;
    return { by: 'names', nodes: smallerGroup(parameters) === a ? b : a };
  },
  refuse: ({ scope, ports }, _cluster, storePorts) =>
    scope === 'isolate' && ports !== undefined && !ports.some((cut) => storePorts.includes(cut))
      ? `ports ${ports.join(', ')}: scope isolate keeps clients from the store, whose ports are ${storePorts.join(', ')}; name one of them, or use scope peers`
      : undefined,
  resource: 'packet-filter',
  document: {
    ...PEERS_DOCUMENT,
    scope: { description: 'isolate: peers and clients; peers: peers only.', pattern: '^(isolate|peers)$' },
    direction: { description: 'Packets that are lost, seen from the host.', pattern: '^(both|in|out)$' },
    packetLossPct: { description: 'Share of packets lost, 1 to 100.', pattern: `^${PATTERN.percent}$` },
    ports: {
      description: 'TCP and UDP ports; empty: everything.',
      pattern: '^([1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,14})?$',
    },
  },
  fence: true,
  command: ({ scope, direction, packetLossPct, ports }, { peers }) => ({
    parameters: {
      peerAddresses: addressesOf(peers),
      scope,
      direction,
      packetLossPct: String(packetLossPct),
      ports: (ports ?? []).join(','),
    },
    undo: [
      `let packets between the node and ${namesOf(peers)} pass again, behind the fence`,
      ...(scope === 'isolate' ? ['let clients reach the store ports again, when the fence falls'] : []),
    ],
  }),
});

/** A partition is installed on the smaller group, B when both are equal: those nodes are the impacted ones. */
function smallerGroup({ targetPartitionGroupA: a, targetPartitionGroupB: b }: z.output<typeof schema>): string[] {
  return a.length < b.length ? a : b;
}
