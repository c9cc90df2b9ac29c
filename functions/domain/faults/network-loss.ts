import { hostKind } from './define-kind.ts';
import { percent } from './fields.ts';
import { FLAP, flapPeriodSeconds } from './flap.ts';
import { CORRELATION, namesOf, PEER_ADDRESSES, PEER_RULES, peerFields, selectPeers } from './peers.ts';

export const networkLoss = hostKind({
  kind: 'NETWORK_LOSS',
  description:
    'Loses a share of the packets the node sends to its peers, until the end, or again and again (flap). Through netfilter ' +
    'where the kernel has no netem, and with flap; a correlation is refused there.',
  fields: {
    ...peerFields,
    packetLossPct: percent('share of the packets that are lost'),
    correlationPct: CORRELATION,
    flap: FLAP,
  },
  comesBackAfter: { field: 'flap', seconds: flapPeriodSeconds },
  rules: PEER_RULES,
  faultState: 'LOSING_PACKETS',
  example: { targetNodes: ['node-3'], packetLossPct: 20, toNodes: ['node-1', 'node-2'] },
  impactedNodes: ({ targetNodes }) => targetNodes,
  peers: (parameters) => selectPeers(parameters),
  refuse: ({ flap, correlationPct }) =>
    flap && correlationPct > 0
      ? `correlationPct ${correlationPct} beside flap: packets are lost through netfilter then, which loses each by itself; leave one of the two out`
      : undefined,
  resource: 'queueing',
  context: { peerAddresses: PEER_ADDRESSES },
  fence: true,
  undo: (_parameters, { peers }) => [`lose packets to ${namesOf(peers)} no more`],
});
