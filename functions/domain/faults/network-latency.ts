import { hostKind } from './define-kind.ts';
import { byDefault, wholeNumber } from './fields.ts';
import { CORRELATION, namesOf, PEER_ADDRESSES, PEER_RULES, peerFields, selectPeers } from './peers.ts';
import { rule } from './rules.ts';

const MAX_MS = 10_000;

export const networkLatency = hostKind({
  kind: 'NETWORK_LATENCY',
  description:
    'Delays every packet the node sends to its peers, so that the round trip grows by as much. Needs a kernel with ' +
    'netem; refused without.',
  fields: {
    ...peerFields,
    latencyMs: wholeNumber('added to every packet to a peer', { min: 1, max: MAX_MS }),
    jitterMs: byDefault(0, wholeNumber('variation of the latency', { min: 0, max: MAX_MS })),
    correlationPct: CORRELATION,
  },
  rules: [
    ...PEER_RULES,
    rule('atMost', 'jitterMs', 'latencyMs'),
    // Without a variation there is nothing to correlate.
    rule('onlyWith', 'correlationPct', 'jitterMs'),
  ],
  faultState: 'DELAYED',
  example: { targetNodes: ['node-3'], latencyMs: 100, jitterMs: 10 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  peers: (parameters) => selectPeers(parameters),
  resource: 'queueing',
  context: { peerAddresses: PEER_ADDRESSES },
  fence: true,
  undo: (_parameters, { peers }) => [
    `take our queueing discipline away: packets to ${namesOf(peers)} are delayed no more`,
  ],
});
