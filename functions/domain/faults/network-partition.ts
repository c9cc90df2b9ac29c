import { hostKind } from './define-kind.ts';
import { always, byDefault, nodeNames, oneOf, optional, percent, portNumbers } from './fields.ts';
import { FLAP, flapPeriodSeconds } from './flap.ts';
import { namesOf, PEER_ADDRESSES } from './peers.ts';
import { rule } from './rules.ts';

/** What one netfilter rule (`multiport`) holds. */
const MAX_PORTS = 15;

export const networkPartition = hostKind({
  kind: 'NETWORK_PARTITION',
  description:
    'Cuts the smaller group of nodes off from the other one, and with scope isolate from its clients too. Until the end, or again and again (flap).',
  fields: {
    latencyMs: byDefault(0, always(0, 'a partition delays nothing')),
    packetLossPct: percent('share of the packets that are lost'),
    targetPartitionGroupA: nodeNames,
    targetPartitionGroupB: nodeNames,
    scope: byDefault('isolate', oneOf('who loses the node; with peers, clients still reach it', ['isolate', 'peers'])),
    direction: byDefault(
      'both',
      oneOf('packets that are lost, as the impacted group sees them', ['both', 'in', 'out']),
    ),
    ports: optional(
      portNumbers("TCP and UDP, source or destination; with scope isolate one of the store's is among them", MAX_PORTS),
      'everything',
    ),
    flap: FLAP,
  },
  comesBackAfter: { field: 'flap', seconds: flapPeriodSeconds },
  rules: [rule('disjoint', 'targetPartitionGroupB', 'targetPartitionGroupA')],
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
  context: { peerAddresses: PEER_ADDRESSES },
  fence: true,
  undo: ({ scope }, { peers }) => [
    `let packets between the node and ${namesOf(peers)} pass again`,
    ...(scope === 'isolate' ? ['let clients reach the store ports again'] : []),
  ],
});

interface Groups {
  targetPartitionGroupA: string[];
  targetPartitionGroupB: string[];
}

/** A partition is installed on the smaller group, B when both are equal: those nodes are the impacted ones. */
function smallerGroup({ targetPartitionGroupA: a, targetPartitionGroupB: b }: Groups): string[] {
  return a.length < b.length ? a : b;
}
