import { hostKind } from './define-kind.ts';
import { percent } from './fields.ts';
import { CORRELATION, namesOf, PEER_ADDRESSES, PEER_RULES, peerFields, selectPeers } from './peers.ts';

export const networkLoss = hostKind({
  kind: 'NETWORK_LOSS',
  description:
    'Loses a share of the packets the node sends to its peers. Through netfilter where the kernel has no netem; ' +
    'a correlation is refused there.',
  fields: { ...peerFields, packetLossPct: percent('share of the packets that are lost'), correlationPct: CORRELATION },
  rules: PEER_RULES,
  faultState: 'LOSING_PACKETS',
  example: { targetNodes: ['node-3'], packetLossPct: 20, toNodes: ['node-1', 'node-2'] },
  impactedNodes: ({ targetNodes }) => targetNodes,
  peers: (parameters) => selectPeers(parameters),
  resource: 'queueing',
  context: { peerAddresses: PEER_ADDRESSES },
  fence: true,
  undo: (_parameters, { peers }) => [`lose packets to ${namesOf(peers)} no more`],
});
