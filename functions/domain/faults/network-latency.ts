import { hostKind } from './define-kind.ts';
import { byDefault, MEBIBYTE, wholeNumber, yesOrNo } from './fields.ts';
import { anchored, PATTERN } from './patterns.ts';
import { CORRELATION, namesOf, PEER_ADDRESSES, PEER_RULES, peerFields, selectPeers } from './peers.ts';
import { rule } from './rules.ts';

const MAX_MS = 10_000;
/** What the worker carries that delays packets where the kernel cannot: `npm run bench:delay` measures it. */
export const DELAY_WORKER = { packetsPerSecond: 5_000, heldBytes: 16 * MEBIBYTE } as const;

export const networkLatency = hostKind({
  kind: 'NETWORK_LATENCY',
  description:
    'Delays every packet the node sends to its peers, so that the round trip grows by as much. By netem; where the ' +
    `kernel has none, on clusters of tier staging, by a worker, up to ${DELAY_WORKER.packetsPerSecond} packets a second ` +
    'and without a correlation.',
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
  context: {
    peerAddresses: PEER_ADDRESSES,
    delayWorker: {
      description: 'yes, no: may a worker delay the packets where the kernel has no netem?',
      pattern: anchored(PATTERN.oneOf(['yes', 'no'])),
      value: (_fault, { tier }) => yesOrNo(tier === 'staging'),
    },
  },
  fence: true,
  undo: (_parameters, { peers }) => [
    `take our queueing discipline, or our worker, away: packets to ${namesOf(peers)} are delayed no more`,
  ],
});
